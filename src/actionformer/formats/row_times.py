"""When the rows of a table are: a column of times in any unit, of clocks or of dates, as seconds.

Labels and readings of one table lie at the same times: dates, times below zero and, beside readings, times of the day
count from the first row, others from their own zero; a unit is guessed as `clock` guesses that of readings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from actionformer.core.errors import InputError
from actionformer.formats.clock import DAY, EPOCH, clock_of, midnights, spread
from actionformer.formats.dates import date, has_month_first
from actionformer.formats.numbers import is_clock, number, seconds
from actionformer.formats.units import FINE, FINE_WORDS, UNIT_OF, UNITS, are_days, unit_in, without_multiple
from actionformer.formats.words import words_of

CLOCKS = frozenset({"time", "times", "timestamp", "timestamps", "t", "epoch", "unix", "elapsed", "datetime"})
LATEST = 1e10
"""Seconds since 1970 that no recording is of: what is later counts in a smaller unit."""
FROM_FIRST = "times are of the clock on the wall: they count from the first row on"
SLOW = 5.0
"""Seconds between rows from which on another unit may be meant."""


@dataclass(frozen=True)
class RowTimes:
    """The times of a column."""

    seconds: Sequence[float | None]
    sure: bool
    """Whether `--unit` leaves them as they are: the name tells their unit, or another one than seconds was guessed."""
    remark: str = ""
    """What was guessed."""


def is_time(name: str) -> bool:
    """Whether a column is named as times are: `time`, `Timestamp (ms)`, `seconds`."""
    words = words_of(without_multiple(name))
    known = CLOCKS | FINE_WORDS
    return any(word in known for word in words) and all(word in known | UNIT_OF.keys() for word in words)


def row_times(cells: Sequence[str], name: str, *, readings: bool = False) -> RowTimes | None:
    """The times of a column's cells; None if the first one is none.

    Args:
        cells: one per row.
        name: of the column, with a unit that stands below it.
        readings: whether readings of sensors stand beside it.
    """
    if is_clock(cells[0]):
        times = _over_midnight([seconds(cell) for cell in cells])
        if not (readings and times[0]):
            return RowTimes(times, sure=True)
        return RowTimes(_from_first(times), sure=True, remark=FROM_FIRST)
    if number(cells[0]) is None:
        dates = _dates(cells)
        return None if dates[0] is None else RowTimes(_from_first(dates), sure=True)
    counts = [number(cell) for cell in cells]
    known = [count for count in counts if count is not None]
    first = known[0]
    per_second, doubt = unit_in(name), ""
    stated = per_second is not None
    if per_second is None and readings:
        with suppress(InputError):  # no clock of readings, and perhaps none at all
            clock = clock_of(name, np.array(known), dates=False, fps=None)
            per_second, doubt = clock.per_second, clock.doubt or ""
    if per_second is None:
        step = median(after - before for before, after in pairwise(known)) if len(known) > 1 else 0.0
        per_second = _guessed(first, step)
        if step >= SLOW and first / per_second <= EPOCH:
            doubt = f"rows are taken to come {step:g} s after one another: if these are milliseconds, give --unit ms"
    times = [None if count is None else count / per_second for count in counts]
    if first / per_second > EPOCH:
        return RowTimes(_from_first(times), sure=True, remark=doubt or FROM_FIRST)
    return RowTimes(_from_first(times) if first < 0 else times, stated or per_second != 1, doubt)


def _guessed(first: float, step: float) -> float:
    """How many of the units of a clock that does not say them are a second."""
    if are_days(first, step):
        return UNITS["days"]
    return next((per_second for per_second in FINE.values() if first / per_second < LATEST), FINE["nanoseconds"])


def evenly(times: Sequence[float | None]) -> Sequence[float | None]:
    """Times of which some are the same, of clocks coarser than rows, spread evenly until the next, as readings are."""
    known = np.array([time for time in times if time is not None])
    steps = np.diff(known)
    if len(known) < len(times) or (steps < 0).any() or not (steps > 0).any():
        return times
    stamps, counts = np.unique(known, return_counts=True)
    return list(spread(known, math.inf, float(np.median(counts) / np.median(np.diff(stamps)))).tolist())


def _from_first(times: Sequence[float | None]) -> list[float | None]:
    zero = times[0] or 0.0
    return [None if time is None else time - zero for time in times]


def _over_midnight(times: Sequence[float | None]) -> list[float | None]:
    """Times of the day that go on where a new day begins."""
    known = np.array([time for time in times if time is not None])
    going_on = iter((known + DAY * midnights(known, known[0])).tolist())
    return [None if time is None else next(going_on) for time in times]


def _dates(cells: Sequence[str]) -> list[float | None]:
    """Seconds since 1970 of dates, None of what is none."""
    month_first = has_month_first(cells)
    found = list[float | None]()
    for cell in cells:
        try:
            found.append(date(cell, month_first=month_first))
        except ValueError:
            found.append(None)
    return found
