"""Thirty days of sign-ins as a stacked bar chart: its geometry, for an SVG template."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from oauth_login.models import LoginEvent

EventOutcome = LoginEvent.Outcome
DAYS = 30
# In the units of the SVG's own viewBox.
STEP, WIDTH, HEIGHT, LABELS = 20, 16, 100, 30
# Above the highest bar: half of the number beside it. Beside the bars: the numbers.
TOP, DIGIT, GAP = 14, 15, 6

SERIES = {
    "ok": {EventOutcome.LOGIN.value},
    "bad": {EventOutcome.FAILED.value, EventOutcome.DENIED.value},
    "other": set(EventOutcome.values)
    - {EventOutcome.LOGIN.value, EventOutcome.FAILED.value, EventOutcome.DENIED.value},
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of one day's stack. Integers: a template might localise fractions."""

    series: str
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day, as in the table beside the chart."""

    date: date
    x: int
    label_x: int
    ok: int
    bad: int
    other: int
    is_labelled: bool
    # Narrow screens have no room for these.
    is_minor: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A number of the scale, and the line at its height."""

    number: int
    y: int


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole chart; `days` includes days without events."""

    days: tuple[Day, ...]
    bars: tuple[Bar, ...]
    ok: int
    bad: int
    other: int
    ticks: tuple[Tick, ...]
    # The part of the width with the bars, and where the numbers of the scale end.
    first_x: int
    last_x: int
    scale_x: int
    width: int
    height: int = TOP + HEIGHT + LABELS
    # The baseline of the labels; some letters reach below it.
    labels_y: int = TOP + HEIGHT + LABELS - 8
    bar_width: int = WIDTH


def chart(
    counts: Iterable[tuple[date, str, int]], *, today: date, mirrored: bool = False
) -> Chart | None:
    """The chart of these (day, outcome, number), up to and including today.

    None if there is nothing to show. The scale begins at 0 and ends at the highest day.

    Time runs from left to right; mirrored, from right to left.
    """
    numbers: dict[tuple[date, str], int] = {}
    for day, outcome, number in counts:
        for series, outcomes in SERIES.items():
            if outcome in outcomes:
                numbers[day, series] = numbers.get((day, series), 0) + number
    dates = [today - timedelta(days=DAYS - 1 - index) for index in range(DAYS)]
    highest = max(sum(numbers.get((day, name), 0) for name in SERIES) for day in dates)
    if not highest:
        return None
    margin = len(str(highest)) * DIGIT + GAP
    first_x = 0 if mirrored else margin
    days = []
    for index, day in enumerate(dates):
        ok, bad, other = (numbers.get((day, series), 0) for series in SERIES)
        place = DAYS - 1 - index if mirrored else index
        x = first_x + place * STEP
        # A label begins at the edge of its bar; the last week has no room for one.
        label_x = x + WIDTH if mirrored else x
        labelled = index % 7 == 0 and index < DAYS - 7
        days.append(
            Day(day, x, label_x, ok, bad, other, labelled, is_minor=index % 14 == 7)
        )
    bars = [bar for day in days for bar in _stack(day, highest)]
    ok, bad, other = (sum(getattr(day, series) for day in days) for series in SERIES)
    last_x = first_x + DAYS * STEP
    return Chart(
        tuple(days),
        tuple(bars),
        ok,
        bad,
        other,
        ticks=tuple(_ticks(highest)),
        first_x=first_x,
        last_x=last_x,
        scale_x=last_x + GAP if mirrored else margin - GAP,
        width=DAYS * STEP + margin,
    )


def _ticks(highest: int) -> Iterable[Tick]:
    half = () if highest % 2 else (highest // 2,)
    for number in (highest, *half, 0):
        yield Tick(number, TOP + HEIGHT - number * (HEIGHT - 4) // highest)


def _stack(day: Day, highest: int) -> Iterable[Bar]:
    y = TOP + HEIGHT
    for series in SERIES:
        number = getattr(day, series)
        if number:
            # A single event among thousands stays visible.
            height = max(2, number * (HEIGHT - 4) // highest)
            y -= height
            yield Bar(series, day.x, y, height)
