"""Sequences that a detector sees in windows: cut before the network, joined before suppression."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from actionformer.data.settings import DataSettings
from actionformer.data.windows import window_starts
from actionformer.features import FeatureWindow
from actionformer.inference.sequences import FeatureSequence
from actionformer.nn.decoding import Candidates

LeftOut = tuple[float, int]
"""The highest score that decoding has left out, and its level."""


class Window(NamedTuple):
    """A part of a sequence that is computed as if it were all."""

    row: int
    """The number of the sequence."""
    start: int
    """Its first feature."""
    sequence: FeatureSequence
    whole: bool = False
    """Whether it is the sequence itself."""


def windows_of(sequences: Sequence[FeatureSequence], data: DataSettings) -> list[Window]:
    """The windows of sequences, in order; without `data.window` one for each, which is the sequence itself."""
    if data.window is None:
        return [Window(row, 0, sequence, whole=True) for row, sequence in enumerate(sequences)]
    return [
        Window(row, start, _part(sequence, start, data.window))
        for row, sequence in enumerate(sequences)
        for start in window_starts(len(sequence), data.window, data.test_overlap)
    ]


def _part(sequence: FeatureSequence, start: int, length: int) -> FeatureSequence:
    stop = min(start + length, len(sequence))
    return replace(sequence, features=FeatureWindow(sequence.features, start, stop))


class Joiner:
    """Gathers what was found in the windows of sequences, whatever their order.

    Moments of a window's levels are no moments of the sequence's: of several windows, candidates are of level 0, and
    their moments are features of the sequence.

    Args:
        windows: all there are.
        strides: of the levels, features between moments; none where a detector has no levels.
    """

    def __init__(self, windows: Sequence[Window], strides: Sequence[int]) -> None:
        self._strides = torch.tensor([*strides] or [1])
        self._missing = Counter(window.row for window in windows)
        self._found: dict[int, dict[int, tuple[Candidates, LeftOut]]] = defaultdict(dict)

    def add(self, window: Window, found: Candidates, left: LeftOut) -> tuple[Candidates, LeftOut] | None:
        """What was found in the whole sequence, in its grid steps, once its last window is there; else None."""
        if window.whole:
            return found, left
        self._missing[window.row] -= 1
        self._found[window.row][window.start] = self._placed(found, window.start), left
        if self._missing[window.row]:
            return None
        parts = [one for _, one in sorted(self._found.pop(window.row).items())]
        together = zip(*(candidates for candidates, _ in parts), strict=True)
        return Candidates(*map(torch.cat, together)), max(left for _, left in parts)

    def _placed(self, found: Candidates, start: int) -> Candidates:
        return found._replace(
            segments=found.segments + start,
            moments=found.moments * self._strides[found.levels] + start,
            levels=torch.zeros_like(found.levels),
        )
