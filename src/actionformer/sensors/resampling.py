"""Readings at any times, with cells that are empty -> rows at a steady rate, in memory that does not grow.

Between two readings of a channel that lie near enough the value is that on the straight line between them. A longer
hole is not bridged, as a line would look like a slow movement: the channel stands at the mean of its readings so far.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.core.words import plural

Numbers = NDArray[np.float64]

BRIDGED = 1.0, 10
"""The longest hole that is bridged: seconds, or so many usual steps where these are longer."""
LONGEST = 24 * 3600.0
"""Seconds that a hole of all channels may last; what lies further apart are two recordings."""
BLOCK = 1 << 14
"""Rows that are made at once."""
TIE = 1e-6
"""Seconds within which a row is at the time of a reading."""
UNEVEN = 0.1
"""Share by which steps may differ from the usual one before it is told."""
GAP = 1.5
"""Usual steps from which on a step is a gap: a row is missing."""


@dataclass
class Told:
    """What was done to the readings of a file."""

    gaps: int = 0
    """Steps in which rows are missing, bridged by straight lines."""
    bridged: float = 0.0
    """Seconds of them."""
    holes: int = 0
    """Gaps too long for that."""
    filled: float = 0.0
    """Seconds of them."""
    empty: int = 0
    """Cells without a reading."""
    shortest: float = math.inf
    longest: float = 0.0
    """Seconds of the steps that are no gaps."""
    readings: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    """(C,) how many each channel has."""


@dataclass
class Resampler:
    """Makes rows of the readings of one recording.

    Args:
        fps: rows a second that are made.
        rate: rows a second that come.
    """

    fps: float
    rate: float
    told: Told = field(default_factory=Told)
    start: float = 0.0
    """Seconds of the first row, once it has come."""
    end: float = 0.0
    """Seconds at which the last row so far ends."""
    _last: float | None = None  # its time

    def __call__(self, pieces: Iterable[tuple[Numbers, Numbers]]) -> Iterator[Numbers]:
        """Seconds (n,), always later, and readings (n, C) -> rows (m, C) at `start + i / fps`.

        There are round((end - start) * fps), at least one, where the last row lasts for the usual step.

        Raises:
            InputError: two rows are too far apart to be of one recording.
        """
        bridge = max(BRIDGED[0], BRIDGED[1] / self.rate) + TIE
        known: _Known | None = None
        made = 0
        for times, readings in pieces:
            if known is None:
                self.start = float(times[0])
                known = _Known.none(self.start, readings.shape[1])
                self.told.readings = np.zeros(readings.shape[1], np.intp)
            self._count(times, readings, bridge)
            self._last = float(times[-1])
            self.end = self._last + 1 / self.rate
            known = known.joined(times, readings)
            until = math.floor((self._last - bridge - self.start) * self.fps)
            for first in range(made, until, BLOCK):
                at = self.start + np.arange(first, min(first + BLOCK, until)) / self.fps
                yield known.at(at, bridge)
                made = first + len(at)
            known = known.after(self.start + made / self.fps - bridge)
        if known is None:
            return
        until = max(round((self.end - self.start) * self.fps), 1)
        for first in range(made, until, BLOCK):
            at = self.start + np.arange(first, min(first + BLOCK, until)) / self.fps
            yield known.at(at, bridge, self.end)

    def _count(self, times: Numbers, readings: Numbers, bridge: float) -> None:
        """Counts what is odd about a piece.

        Raises:
            InputError: as above.
        """
        steps, usual, told = np.diff(times), 1 / self.rate, self.told
        if self._last is not None:
            steps = np.concatenate([[times[0] - self._last], steps])
        if len(steps) and (far := float(steps.max())) > LONGEST:
            place = float(times[np.argmax(steps) - len(steps)]) - far
            raise InputError(
                f"nothing comes for {far / 3600:,.1f} hours from {place:.1f} s on: make a file of each recording"
            )
        holes, gaps = steps > bridge, (steps > GAP * usual) & (steps <= bridge)
        told.holes, told.filled = told.holes + int(holes.sum()), told.filled + float((steps[holes] - usual).sum())
        told.gaps, told.bridged = told.gaps + int(gaps.sum()), told.bridged + float((steps[gaps] - usual).sum())
        there = np.isfinite(readings)
        told.empty, told.readings = told.empty + int((~there).sum()), told.readings + there.sum(0)
        if len(even := steps[steps <= GAP * usual]):
            told.shortest, told.longest = min(told.shortest, even.min()), max(told.longest, even.max())

    def warning(self) -> str | None:
        """What was done to the readings, in words; None where they were even and whole."""
        told, usual, parts = self.told, 1 / self.rate, list[str]()
        if told.longest and not (1 - UNEVEN) * usual <= told.shortest <= told.longest <= (1 + UNEVEN) * usual:
            parts.append(
                f"rows come {1000 * told.shortest:.3g} to {1000 * told.longest:.3g} ms after one another and are "
                f"interpolated to {self.fps:g} a second"
            )
        if told.gaps:
            parts.append(f"{plural(told.gaps, 'gap')}, {told.bridged:.3g} s in all, bridged by straight lines")
        if told.holes:
            parts.append(
                f"{plural(told.holes, 'long gap')}, {told.filled:.3g} s in all, filled with the mean of the readings "
                "before"
            )
        if told.empty:
            parts.append(f"{plural(told.empty, 'empty cell')} filled as gaps are")
        return "; ".join(parts) or None


@dataclass(frozen=True)
class _Known:
    """The readings that rows are still made of."""

    start: float
    """Seconds at which the recording starts."""
    times: Numbers
    """(n,)"""
    readings: Numbers
    """(n, C)"""
    sums: Numbers
    """(C,) of the readings before these."""
    counts: Numbers
    """(C,) how many those were."""

    @classmethod
    def none(cls, start: float, channels: int) -> _Known:
        return cls(start, np.empty(0), np.empty((0, channels)), np.zeros(channels), np.zeros(channels))

    def joined(self, times: Numbers, readings: Numbers) -> _Known:
        """With those that follow."""
        readings = np.where(np.isfinite(readings), readings, np.nan)
        times, readings = np.concatenate([self.times, times]), np.concatenate([self.readings, readings])
        return _Known(self.start, times, readings, self.sums, self.counts)

    def after(self, time: float) -> _Known:
        """Without those before a time."""
        first = int(np.searchsorted(self.times, time))
        gone, there = self.readings[:first], np.isfinite(self.readings[:first])
        sums, counts = self.sums + np.where(there, gone, 0).sum(0), self.counts + there.sum(0)
        return _Known(self.start, self.times[first:], self.readings[first:], sums, counts)

    def at(self, at: Numbers, bridge: float, end: float = math.inf) -> Numbers:
        """The values (m, C) at some times; `end` is where the recording ends, if that is known."""
        there = np.isfinite(self.readings)
        if there.all():
            return self._of(slice(None), there[:, 0], at, bridge, end)
        columns = range(self.readings.shape[1])
        return np.column_stack([self._of(slice(c, c + 1), there[:, c], at, bridge, end) for c in columns])

    def _of(self, channels: slice, there: NDArray[np.bool_], at: Numbers, bridge: float, end: float) -> Numbers:
        """The values (m, C) of channels whose readings are there at the same times."""
        times, readings = self.times[there], self.readings[there, channels]
        before = np.searchsorted(times, at, side="right")
        known = np.concatenate([[-math.inf], times, [math.inf]])
        left, right = known[before], known[before + 1]
        # a channel that begins late, or ends early, is held
        from_, to = np.where(before > 0, left, self.start), np.where(before < len(times), right, end)
        bridged = ((to - from_ <= bridge) | (at - left < TIE) | (right - at < TIE)) & (len(times) > 0)
        values = np.empty((len(at), readings.shape[1]))
        if bridged.any():
            lower, upper = np.maximum(before - 1, 0)[bridged], np.minimum(before, len(times) - 1)[bridged]
            span = times[upper] - times[lower]
            part = np.divide(at[bridged] - times[lower], span, out=np.zeros(len(span)), where=span > 0)
            values[bridged] = readings[lower] + (readings[upper] - readings[lower]) * part[:, None]
        if not bridged.all():
            values[~bridged] = self._mean(channels, readings)[before[~bridged]]
        return values

    def _mean(self, channels: slice, readings: Numbers) -> Numbers:
        """(n + 1, C): the mean of all readings before each of these, and after them; 0 where there is none."""
        sums = np.concatenate([self.sums[None, channels], readings]).cumsum(0)
        counts = self.counts[None, channels] + np.arange(len(readings) + 1)[:, None]
        means: Numbers = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
        return means
