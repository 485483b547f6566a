"""Overlap of detections: whether several actions may go on at one time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from copy import deepcopy
from typing import Literal

import numpy as np

from actionformer.core.detections import Detections

Overlap = Literal["keep", "class", "none"]
"""Whether all detections are kept as they are, those of one class do not overlap, or none overlaps any other."""

LEAST_LEFT = 0.5
"""Share of a detection that must be left free by better ones, or it goes."""


def without_overlap(found: Detections, policy: Overlap) -> Detections:
    """Detections that do not overlap: each, best first, keeps the longest part of it that better ones leave free.

    Where less than `LEAST_LEFT` of it is left, it goes: two detections that share so much are two opinions about one
    stretch of time, and what is cut less are neighbours whose ends are a little off.

    Args:
        found: those of one video that are shown; what is not shown takes no time from others.
        policy: of which detections one goes on at a time.
    """
    return FreeTime(policy).take(found)


class FreeTime:
    """The time that earlier detections have left free, where they come batch by batch; see `without_overlap`.

    What has come keeps its time, also from what is better and comes later. No detection may start before the
    earliest of the batch before.

    Args:
        policy: of which detections one goes on at a time.
    """

    def __init__(self, policy: Overlap) -> None:
        self.policy = policy
        self._lines: defaultdict[int, _Line] = defaultdict(_Line)

    def take(self, found: Detections) -> Detections:
        """What is left of a batch, whose time is taken from now on."""
        if self.policy == "keep" or not len(found):
            return found
        for line in self._lines.values():
            line.forget(found.segments[:, 0].min())
        rows, segments = [], []
        for row, (start, end) in enumerate(found.segments.tolist()):
            line = self._lines[int(found.labels[row]) if self.policy == "class" else 0]
            if (part := line.take(start, end)) is not None:
                rows.append(row)
                segments.append(part)
        kept = np.array(rows, dtype=np.int64)
        cut = np.array(segments).reshape(-1, 2)
        return Detections(cut, found.scores[kept], found.labels[kept], found.class_names, found.levels[kept])

    def left_of(self, found: Detections) -> Detections:
        """What would be left of a batch, which takes no time yet."""
        return deepcopy(self).take(found)


class _Line:
    """Stretches of time that are taken, which do not overlap, in their order."""

    def __init__(self) -> None:
        self.starts: list[float] = []
        self.ends: list[float] = []

    def forget(self, time: float) -> None:
        """Forgets what ends before a time."""
        passed = bisect_left(self.ends, time)
        del self.starts[:passed], self.ends[:passed]

    def take(self, start: float, end: float) -> tuple[float, float] | None:
        """The longest part of a stretch that is free, which is taken from now on; None if that is too little."""
        first, beyond = bisect_right(self.ends, start), bisect_left(self.starts, end)
        begins = [start, *self.ends[first:beyond]]
        ends = [*self.starts[first:beyond], end]
        free_from, free_to = max(zip(begins, ends, strict=True), key=lambda part: part[1] - part[0])
        if free_to - free_from < LEAST_LEFT * (end - start):
            return None
        if free_to > free_from:
            place = bisect_left(self.starts, free_from)
            self.starts.insert(place, free_from)
            self.ends.insert(place, free_to)
        return free_from, free_to
