"""The time of each row of a table of readings, always later than that of the row before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from actionformer.core.errors import InputError
from actionformer.formats.clock import DAY, Clock, Numbers, midnights, spread
from actionformer.sensors.table import PIECE

STANDING = 4 * PIECE
"""Rows that may share a time."""


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

    def _spread(self, times: Numbers, following: float) -> Numbers:
        self.shared += int((np.diff(times) == 0).sum())
        return spread(times, following, self.clock.rate)

    def _over_midnight(self, times: Numbers) -> Numbers:
        """Times of the day (n,) that go on where a new day begins."""
        known = np.isfinite(times)
        if not len(told := times[known]):
            return times
        before = told[0] if self._before is None else self._before
        days = self._days + midnights(told, before)
        self._days, self._before = int(days[-1]), float(told[-1])
        going_on = times.copy()
        going_on[known] = told + DAY * days
        return going_on
