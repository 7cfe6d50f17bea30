"""Thirty days of sign-ins as a stacked bar chart: its geometry, for an SVG template."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from oauth_login.models import LoginEvent

EventOutcome = LoginEvent.Outcome
DAYS = 30
# In the units of the SVG's own viewBox.
STEP, WIDTH, HEIGHT, LABELS = 20, 16, 100, 16

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


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole chart; `days` includes days without events."""

    days: tuple[Day, ...]
    bars: tuple[Bar, ...]
    ok: int
    bad: int
    other: int
    width: int = DAYS * STEP
    height: int = HEIGHT + LABELS
    base: int = HEIGHT
    # The baseline of the labels; some letters reach below it.
    labels_y: int = HEIGHT + LABELS - 4
    bar_width: int = WIDTH


def chart(
    counts: Iterable[tuple[date, str, int]], *, today: date, mirrored: bool = False
) -> Chart:
    """The chart of these (day, outcome, number), up to and including today.

    Time runs from left to right; mirrored, from right to left.
    """
    numbers: dict[tuple[date, str], int] = {}
    for day, outcome, number in counts:
        for series, outcomes in SERIES.items():
            if outcome in outcomes:
                numbers[day, series] = numbers.get((day, series), 0) + number
    days = []
    for index in range(DAYS):
        day = today - timedelta(days=DAYS - 1 - index)
        ok, bad, other = (numbers.get((day, series), 0) for series in SERIES)
        place = DAYS - 1 - index if mirrored else index
        x = place * STEP
        # A label begins at the edge of its bar; the last week has no room for one.
        label_x = x + WIDTH if mirrored else x
        labelled = index % 7 == 0 and index < DAYS - 7
        days.append(Day(day, x, label_x, ok, bad, other, labelled))
    highest = max(day.ok + day.bad + day.other for day in days)
    bars = [bar for day in days for bar in _stack(day, highest)]
    ok, bad, other = (sum(getattr(day, series) for day in days) for series in SERIES)
    return Chart(tuple(days), tuple(bars), ok, bad, other)


def _stack(day: Day, highest: int) -> Iterable[Bar]:
    y = HEIGHT
    for series in SERIES:
        number = getattr(day, series)
        if number:
            # A single event among thousands stays visible.
            height = max(2, number * (HEIGHT - 4) // highest)
            y -= height
            yield Bar(series, day.x, y, height)
