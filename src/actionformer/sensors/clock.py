"""The clock of a table: what its column of times holds becomes seconds, later ones for each row than for the last.

The unit is that of the column's name (`time_ms`), or else days where they are dates of spreadsheets, or else the one
with which the rows come about as often as the user says, or as often as sensors do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.formats.row_times import DAY, EPOCH
from actionformer.formats.units import FINE, UNITS, are_days, unit_in
from actionformer.sensors.table import NOWADAYS, PIECE

Numbers = NDArray[np.float64]

USUAL = 50.0
"""Rows a second of which the nearest unit is taken where nothing else tells it."""
ROUND = 0.005
"""Share by which a rate may differ from a whole number that is meant."""
FAST = 1100.0
"""Rows a second from which on another unit may be meant: 50 a second of a clock that counts minutes seem to be 3000."""
LIKE = 1.5
"""How many times as often rows may come as the user says for that to tell the unit."""
STANDING = 4 * PIECE
"""Rows that may share a time."""


@dataclass(frozen=True)
class Clock:
    """How times of a file become seconds."""

    per_second: float
    """How many of its units are a second."""
    origin: float
    """What the file calls time 0: its first time where it counts dates, else 0."""
    rate: float
    """Rows a second, as its first ones come."""
    doubt: str | None = None
    """What was guessed."""

    def seconds(self, times: Numbers) -> Numbers:
        """Times of the file in seconds."""
        return (times - self.origin) / self.per_second


def clock_of(name: str, times: Numbers, *, dates: bool, fps: float | None, below: str = "") -> Clock:
    """The clock of a column.

    Args:
        name: of the column.
        times: what it holds in the first rows.
        dates: whether it holds dates, which are read as seconds.
        fps: rows a second that the user expects.
        below: what stands below the name, such as a unit.

    Raises:
        InputError: the times stand still; `name` is named.
    """
    times = times[np.isfinite(times)]
    stamps, counts = np.unique(times, return_counts=True)
    if len(stamps) < 2:
        raise InputError(f"column {name} holds {len(stamps)} different times, expected a later one with each row")
    step = _usual_step(np.diff(stamps)) / float(np.median(counts))
    stated = 1.0 if dates else unit_in(below) or unit_in(name)
    per_second, doubt = (stated, None) if stated else _guessed(name, step, float(stamps[0]), fps)
    first = float(times[0])
    if dates and first == 0 and not np.any(times % 60):
        doubt = f"its column {name} is taken for hours and minutes: write minutes and seconds as 0:01:23"
    is_date = dates or first / per_second >= EPOCH or first < 0
    return Clock(per_second, first if is_date else 0.0, _rounded(per_second / step), doubt)


def _usual_step(steps: Numbers) -> float:
    """The mean of the steps about as long as the median one; of rows that are written in bursts that of nearly all."""
    median = float(np.median(steps))
    most = float(steps[steps <= np.quantile(steps, 0.99)].mean())  # without rare gaps
    return most if most > 2 * median else float(steps[(median / 2 < steps) & (steps < 1.5 * median)].mean())


def _guessed(name: str, step: float, first: float, fps: float | None) -> tuple[float, str | None]:
    """How many of its units are a second, and in words why that may be wrong."""
    if are_days(first, step):
        return UNITS["days"], None
    rates = {unit: per_second / step for unit, per_second in FINE.items()}
    unit = min(rates, key=lambda one: abs(math.log(rates[one] / (fps or USUAL))))
    in_fractions = unit == "seconds" and step < 1 and rates[unit] < FAST
    since_1970 = NOWADAYS[0] < first / FINE[unit] < NOWADAYS[1]
    as_said = fps is not None and 1 / LIKE < rates[unit] / fps < LIKE
    if in_fractions or since_1970 or as_said:
        return FINE[unit], None
    return FINE[unit], (
        f"its column {name} is taken for {unit}, {rates[unit]:.3g} rows a second: if that is wrong, end its name with "
        "its unit: _s, _ms, _us, _ns, _min, _h or _days"
    )


def _rounded(rate: float) -> float:
    """The whole number that a rate is meant to be, or it with four digits."""
    whole = round(rate)
    return float(whole) if whole and abs(rate / whole - 1) <= ROUND else float(f"{rate:.4g}")


@dataclass
class Timed:
    """Pieces of a table with the time of each row, always later than that of the row before.

    Rows that share a time are spread evenly until the next one, as clocks may be coarser than rows. Rows without a time
    are left out.
    """

    clock: Clock
    of_day: bool = False
    """Whether the clock begins anew at midnight."""
    shared: int = 0
    """Rows that had the time of the row before."""
    untimed: int = 0
    """Rows without a time."""
    _days: int = 0  # that have passed
    _before: float | None = None  # the last time of the day

    def __call__(self, pieces: Iterable[Numbers]) -> Iterator[tuple[Numbers, Numbers]]:
        """(n, 1 + C), the first column times of the file -> seconds (n,) and readings (n, C).

        Raises:
            InputError: times that go back, or stand still for long; names the row.
        """
        held, rows = np.empty((0, 0)), 0
        for piece in pieces:
            times = self.clock.seconds(self._over_midnight(piece[:, 0]) if self.of_day else piece[:, 0])
            known = np.isfinite(times)
            self.untimed += int((~known).sum())
            own = np.column_stack([times, piece[:, 1:]])[known]
            numbers = rows + 1 + np.flatnonzero(known)
            rows += len(piece)
            joined = np.concatenate([held, own]) if len(held) else own
            back = np.flatnonzero(np.diff(joined[:, 0]) < 0)
            if len(back):
                place = int(back[0]) + 1
                raise InputError(
                    f"row {numbers[place - len(held)]:,} goes back from {joined[place - 1, 0]:.3f} to "
                    f"{joined[place, 0]:.3f} s: sort the rows by time, or split the file where the clock was set back"
                )
            last = int(np.searchsorted(joined[:, 0], joined[-1, 0])) if len(joined) else 0
            if len(joined) - last > STANDING:
                raise InputError(f"{len(joined) - last:,} rows have the time {joined[-1, 0]:.3f} s: is it a clock?")
            held = joined[last:]
            if last:
                yield self._spread(joined[:last, 0], joined[last, 0]), joined[:last, 1:]
        if len(held):
            yield self._spread(held[:, 0], math.inf), held[:, 1:]

    def _over_midnight(self, times: Numbers) -> Numbers:
        """Times of the day (n,) that go on where a new day begins: where they fall by more than half of one."""
        known = np.isfinite(times)
        if not len(told := times[known]):
            return times
        before = told[0] if self._before is None else self._before
        days = self._days + np.cumsum(np.diff(told, prepend=before) < -DAY / 2)
        self._days, self._before = int(days[-1]), float(told[-1])
        going_on = times.copy()
        going_on[known] = told + DAY * days
        return going_on

    def _spread(self, times: Numbers, following: float) -> Numbers:
        """Times (n,) of which some are the same, spread evenly; the time after them is `following`."""
        first = np.flatnonzero(np.diff(times, prepend=-math.inf))
        if len(first) == len(times):
            return times
        counts = np.diff(first, append=len(times))
        self.shared += int((counts - 1).sum())
        lasting = np.minimum(np.diff(times[first], append=following), counts / self.clock.rate)
        within = np.arange(len(times)) - np.repeat(first, counts)
        return times + within * np.repeat(lasting / counts, counts)
