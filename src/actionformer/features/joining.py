"""Sources of one video that lie in time each in its own way, joined row by row on the grid of the first.

At each moment of the first source, another one counts with the mean of k values spread evenly over the first one's
step, each read off the straight line between its neighbouring rows. k is how many of its steps make one of the first: 1
where it is as dense or sparser, so that rows at the same times are taken as they are; more where it is denser, so that
no row is skipped. Before its first and after its last row a source stays as it is there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid

Floats = NDArray[np.float32]

MAX_LENGTH_DIFFERENCE = 4
"""Steps of the sparser source that two may differ by at either end, beside a window; what only one covers is cut."""
SAME_TIME = 1e-3
"""Share of a step within which rows lie at the same time."""
ROUNDING = 1e-6
"""Steps by which positions may be off."""


@dataclass(frozen=True)
class Resampling:
    """Reads a source at the moments of another one.

    Args:
        source: where its rows lie.
        target: where they are wanted.
    """

    source: TimeGrid
    target: TimeGrid

    @property
    def samples(self) -> int:
        """Values that each row is the mean of."""
        return max(round(self.target.step / self.source.step), 1)

    def positions(self, rows: slice) -> NDArray[np.float64]:
        """Rows of the target -> (n, k) positions among the source's."""
        spread = (np.arange(self.samples) + 0.5) / self.samples - 0.5
        at = np.arange(rows.start, rows.stop, dtype=np.float64)[:, None] + spread
        return self.source.to_grid(self.target.to_seconds(at))

    def needed(self, rows: slice, length: int) -> slice:
        """Which of the source's rows, `length` in all, these of the target are made of; at least one."""
        first = self.positions(slice(rows.start, rows.start + 1))[0, 0]
        last = self.positions(slice(rows.stop - 1, rows.stop))[0, -1]
        start = min(max(math.floor(first), 0), length - 1)
        return slice(start, min(max(math.floor(last) + 2, start + 1), length))

    def __call__(self, known: Floats, first: int, rows: slice) -> Floats:
        """Rows of the target (n, D) from those of the source (m, D), m >= 1, of which the first has this number."""
        positions = self.positions(rows)
        left = np.floor(positions)
        weight = (positions - left).astype(np.float32)[..., None]
        left = left.astype(int) - first
        total = np.zeros((len(left), known.shape[1]), np.float32)
        for sample in range(self.samples):
            one, other = (known[(left[:, sample] + side).clip(0, len(known) - 1)] for side in (0, 1))
            total += one + weight[:, sample] * (other - one)
        return total / np.float32(self.samples)

    def ready(self, length: int) -> int:
        """How many rows of the target the first `length` of the source are enough for, whatever follows."""
        last = 0.5 - 0.5 / self.samples  # of a row's values, in steps of the target
        end = self.target.to_grid(self.source.to_seconds(np.array(length - 1.0)))
        return max(math.floor(float(end) - last - ROUNDING) + 1, 0)

    def covered(self, length: int) -> int:
        """How many rows of the target lie within what `length` of the source cover, give or take a window of it."""
        end = self.source.seconds_covered(length) + self.source.tolerance
        return max(math.floor(float(self.target.to_grid(np.array(end)))) + 1, 0)


def same_grid(one: TimeGrid, other: TimeGrid) -> bool:
    """Whether rows of the same number lie at the same time."""
    offset = abs(float(one.to_seconds(np.array(0.0)) - other.to_seconds(np.array(0.0))))
    return abs(one.step - other.step) <= 1e-6 * one.step and offset <= SAME_TIME * one.step


def resampling(source: TimeGrid, target: TimeGrid) -> Resampling | None:
    """How a source is read at the moments of another; None where its rows lie there."""
    return None if same_grid(source, target) else Resampling(source, target)


def check_covered(grids: Sequence[TimeGrid], lengths: Sequence[int], names: Sequence[str]) -> None:
    """Checks that sources of one video cover the same time as the first.

    Raises:
        InputError: one begins or ends elsewhere; both are named with what they cover.
    """
    spans = [(grid.start, grid.seconds_covered(length)) for grid, length in zip(grids, lengths, strict=True)]
    for name, grid, span in zip(names[1:], grids[1:], spans[1:], strict=True):
        allowed = max(MAX_LENGTH_DIFFERENCE * one.step + one.tolerance for one in (grid, grids[0]))
        if max(abs(one - other) for one, other in zip(span, spans[0], strict=True)) > allowed:
            raise InputError(
                f"{names[0]} covers {_in_words(spans[0])} of its video, and {name} {_in_words(span)}: sources of one "
                "video are joined by time, so extract them from the same recording, or correct fps, stride, num_frames "
                "or start in their sidecars"
            )


def _in_words(span: tuple[float, float]) -> str:
    return f"{span[0]:.2f} to {span[1]:.2f} s"


class SourceJoiner:
    """Joins sources of one video as their rows come, however they come.

    Args:
        grids: where the rows of each source lie, of the first one where joined rows will.
    """

    def __init__(self, grids: Sequence[TimeGrid]) -> None:
        self.grid = grids[0]
        self._resampled = [None, *(resampling(grid, self.grid) for grid in grids[1:])]
        self._known: list[Floats | None] = [None] * len(grids)
        self._first = [0] * len(grids)
        self._given = 0

    def push(self, *rows: ArrayLike) -> Floats:
        """Takes in rows of each source, (t, D) each with t from 0 on, that follow those before.

        Returns:
            (t, D): the joined rows that are complete with them, and D the channels of all sources together.

        Raises:
            InputError: rows of another number of sources, or of another width than those before.
        """
        if len(rows) != len(self._known):
            raise InputError(f"expected rows of {len(self._known)} sources, found {len(rows)}")
        for place, new in enumerate(rows):
            array, known = np.asarray(new, np.float32), self._known[place]
            if array.ndim != 2 or (known is not None and known.shape[1] != array.shape[1]):
                width = "D" if known is None else known.shape[1]
                raise InputError(
                    f"source {place + 1}: expected rows (t, {width}), found an array of shape {array.shape}"
                )
            self._known[place] = array if known is None else np.concatenate([known, array])
        return self._joined(min(self._ready(place) for place in range(len(rows))))

    def finish(self) -> Floats:
        """The joined rows that are left, (t, D), as far as all sources reach."""
        ends = (self._end(place) for place in range(len(self._known)))
        covered = (
            end if one is None or not end else one.covered(end) for one, end in zip(self._resampled, ends, strict=True)
        )
        return self._joined(min(covered))

    def _end(self, place: int) -> int:
        known = self._known[place]
        return self._first[place] + (0 if known is None else len(known))

    def _ready(self, place: int) -> int:
        one, end = self._resampled[place], self._end(place)
        return end if one is None or not end else one.ready(end)

    def _joined(self, stop: int) -> Floats:
        """The rows up to `stop` that were not given before; what is not needed any more is forgotten."""
        rows = slice(self._given, max(stop, self._given))
        parts = []
        for place, (one, known) in enumerate(zip(self._resampled, self._known, strict=True)):
            assert known is not None, "nothing was pushed"
            first = self._first[place]
            if one is None:
                parts.append(known[rows.start - first : rows.stop - first])
                keep = rows.stop
            else:
                parts.append(one(known, first, rows))
                keep = one.needed(slice(rows.stop, rows.stop + 1), self._end(place) or 1).start
            keep = min(max(keep, first), max(self._end(place) - 1, first))  # the last row stands for all that follow
            self._known[place], self._first[place] = known[keep - first :], keep
        self._given = rows.stop
        return np.concatenate(parts, axis=1)
