"""The clock of a table of readings: what its column of times holds becomes seconds.

The unit is that of the column's name (`time_ms`), or else days where they are dates of spreadsheets, or else the one
with which the rows come about as often as the user says, or as often as sensors do; a unit with which the times are of
this century may be further from that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.formats.units import FINE, UNITS, are_days, unit_in

Numbers = NDArray[np.float64]

USUAL = 50.0
"""Rows a second of which the nearest unit is taken where nothing else tells it."""
DATED = 3.0
"""How much further from the usual rate, as a logarithm, a unit may be with which the times are of these years."""
ROUND = 0.005
"""Share by which a rate may differ from a whole number that is meant."""
FAST = 1100.0
"""Rows a second from which on another unit may be meant: 50 a second of a clock that counts minutes seem to be 3000."""
LIKE = 1.5
"""How many times as often rows may come as the user says for that to tell the unit."""
LARGEST, LEAST = 1e20, 1e-15
"""What no clock reaches, and what none counts in, whatever its unit."""
NOWADAYS = 9.4e8, 4.1e9
"""Seconds since 1970 of the years 2000 to 2100."""
EPOCH = 1e8
"""Seconds from which a clock is one of dates, those since 1970: later than March 1973."""
DAY = 24 * 3600.0
"""Seconds after which a clock that tells times of the day begins anew."""


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
        InputError: the times stand still, or are what no clock has; `name` is named.
    """
    times = times[np.abs(times) < LARGEST]
    stamps, counts = np.unique(times, return_counts=True)
    if len(stamps) < 2:
        raise InputError(f"column {name} holds {len(stamps)} different times, expected a later one with each row")
    step = _usual_step(np.diff(stamps)) / float(np.median(counts))
    if step < LEAST:
        raise InputError(f"column {name} rises by {step:.1g} a row: is it a clock?")
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
    dates = {unit for unit, per_second in FINE.items() if NOWADAYS[0] < first / per_second < NOWADAYS[1]}
    far = {unit: abs(math.log(rate / (fps or USUAL))) - DATED * (unit in dates) for unit, rate in rates.items()}
    unit = min(far, key=far.__getitem__)
    in_fractions = unit == "seconds" and step < 1 and rates[unit] < FAST
    since_1970 = unit in dates
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


def midnights(times: Numbers, before: float) -> NDArray[np.int64]:
    """How many times midnight has passed at each time of the day (n,): where they fall by more than half a day.

    Args:
        times: seconds, in their order.
        before: the one before the first.
    """
    passed: NDArray[np.int64] = np.cumsum(np.diff(times, prepend=before) < -DAY / 2)
    return passed


def spread(times: Numbers, following: float, rate: float) -> Numbers:
    """Times (n,) of which some are the same, of a clock coarser than rows, spread evenly until the next.

    Args:
        times: seconds, that never fall.
        following: the time after them.
        rate: rows a second as they usually come: before a gap, equal ones last no longer.
    """
    first = np.flatnonzero(np.diff(times, prepend=-math.inf))
    if len(first) == len(times):
        return times
    counts = np.diff(first, append=len(times))
    lasting = np.minimum(np.diff(times[first], append=following), counts / rate)
    within = np.arange(len(times)) - np.repeat(first, counts)
    return times + within * np.repeat(lasting / counts, counts)
