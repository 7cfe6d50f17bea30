"""Thirty days of sign-ins as a stacked bar chart: geometry, for a template of SVG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from oauth_login.models import LoginEvent

Outcome = LoginEvent.Outcome
DAYS = 30
# In the units of the SVG's own viewBox.
STEP, WIDTH, HEIGHT, LABELS = 20, 16, 100, 16

SERIES = {
    "ok": {Outcome.LOGIN.value},
    "bad": {Outcome.FAILED.value, Outcome.DENIED.value},
    "other": set(Outcome.values)
    - {Outcome.LOGIN.value, Outcome.FAILED.value, Outcome.DENIED.value},
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of one day's stack. Whole numbers: a template may localise others."""

    series: str
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day, as the table beside the chart has it."""

    date: date
    x: int
    label_x: int
    ok: int
    bad: int
    other: int
    is_labelled: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole of it; `days` are there without events, too."""

    days: tuple[Day, ...]
    bars: tuple[Bar, ...]
    ok: int
    bad: int
    other: int
    width: int = DAYS * STEP
    height: int = HEIGHT + LABELS
    base: int = HEIGHT
    # The line that letters stand on; some reach below it.
    labels_y: int = HEIGHT + LABELS - 4
    bar_width: int = WIDTH


def chart(
    counts: Iterable[tuple[date, str, int]], *, today: date, mirrored: bool = False
) -> Chart:
    """The chart of these (day, outcome, number), up to and with today.

    Time runs from left to right, or as the letters do where it is mirrored.
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
        # Text begins at the bar's edge; the last week has no room for its own.
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
            # What happened once among thousands is still to be seen.
            height = max(2, number * (HEIGHT - 4) // highest)
            y -= height
            yield Bar(series, day.x, y, height)
