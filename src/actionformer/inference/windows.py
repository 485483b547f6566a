"""Sequences that a detector sees in windows: cut before the network, joined before suppression."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from actionformer.data.settings import DataSettings
from actionformer.data.windows import window_starts
from actionformer.features import FeatureWindow
from actionformer.inference.sequences import FeatureSequence
from actionformer.inference.settings import SuppressionSettings
from actionformer.inference.suppression import suppress
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

    @property
    def rows(self) -> range:
        """Its features in the sequence."""
        return range(self.start, self.start + len(self.sequence))


def windows_of(sequences: Sequence[FeatureSequence], data: DataSettings) -> list[Window]:
    """The windows of sequences, in order; without `data.window` one for each, which is the sequence itself."""
    if data.window is None:
        return [Window(row, 0, sequence, whole=True) for row, sequence in enumerate(sequences)]
    return [
        Window(row, start, part) for row, sequence in enumerate(sequences) for start, part in _windows(sequence, data)
    ]


def _windows(sequence: FeatureSequence, data: DataSettings) -> Iterator[tuple[int, FeatureSequence]]:
    """The first feature of each window of a sequence, and what it holds.

    A proposal is judged in the first window that its centre lies in; one whose centre lies in none, before the first
    feature or behind the last, in the nearest.
    """
    assert data.window is not None
    starts = window_starts(len(sequence), data.window, data.test_overlap)
    stops = [min(start + data.window, len(sequence)) for start in starts]
    judged = None if sequence.proposals is None else np.searchsorted(stops, sequence.proposals.mean(1) + 0.5, "right")
    for number, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        part = replace(sequence, features=FeatureWindow(sequence.features, start, stop))
        if sequence.proposals is not None and judged is not None:
            own = judged.clip(max=len(starts) - 1) == number
            part = replace(part, proposals=sequence.proposals[own] - np.float32(start))
        yield start, part


class Joiner:
    """Gathers what was found in the windows of sequences, whatever their order.

    Moments of a window's levels are no moments of the sequence's: of several windows, candidates are of level 0, and
    their moments are features of the sequence. With `suppression.per_window` what each found is suppressed first, and
    with `suppression.window_tiou` what two found where they overlap; see `thinned`.

    Args:
        windows: all there are.
        strides: of the levels, features between moments; none where a detector has no levels.
        suppression: settings.
    """

    def __init__(self, windows: Sequence[Window], strides: Sequence[int], suppression: SuppressionSettings) -> None:
        self._strides = torch.tensor([*strides] or [1])
        self._suppression = suppression
        self._missing = Counter(window.row for window in windows)
        self._found: dict[int, list[tuple[range, Candidates, LeftOut]]] = defaultdict(list)

    def add(self, window: Window, found: Candidates, left: LeftOut) -> tuple[Candidates, LeftOut] | None:
        """What was found in the whole sequence, in its grid steps, once its last window is there; else None."""
        if window.whole:
            return found, left
        self._missing[window.row] -= 1
        if self._suppression.per_window:
            found = suppressed(found, self._suppression.in_steps(len(window.sequence)))
        self._found[window.row].append((window.rows, self._placed(found, window.start), left))
        if self._missing[window.row]:
            return None
        rows, parts, lefts = zip(*sorted(self._found.pop(window.row), key=lambda one: one[0].start), strict=True)
        return thinned(rows, parts, self._suppression), max(lefts)

    def _placed(self, found: Candidates, start: int) -> Candidates:
        return found.moved(start)._replace(
            moments=found.moments * self._strides[found.levels] + start,
            levels=torch.zeros_like(found.levels),
        )


def suppressed(found: Candidates, settings: SuppressionSettings) -> Candidates:
    """What suppression keeps of one window's candidates, with the scores that it leaves them."""
    kept = suppress(found.segments, found.scores, found.labels, settings, reported=found.refined)
    chosen = found.chosen(torch.from_numpy(kept.index))._replace(scores=torch.from_numpy(kept.scores))
    reported = torch.from_numpy(kept.segments).double()
    return chosen._replace(segments=reported) if found.refined is None else chosen._replace(refined=reported)


def thinned(windows: Sequence[range], found: Sequence[Candidates], settings: SuppressionSettings) -> Candidates:
    """All that the windows of a sequence found, without what two of them found twice (TadTR, Liu et al., TIP 2022).

    Where two windows overlap, the candidates of both that reach into the overlap go through hard suppression at
    `window_tiou`. One that reaches into several overlaps stays if any of them keeps it. What reaches into none stays.

    Args:
        windows: the features of each.
        found: the candidates of each, in grid steps of the sequence.
        settings: with `window_tiou` None all stay.
    """
    together = Candidates.joined(found)
    if settings.window_tiou is None:
        return together
    own = torch.arange(len(together.scores)).split([len(one.scores) for one in found])
    start, end = together.segments.unbind(1)
    meets = torch.zeros_like(together.labels, dtype=torch.bool)
    stays = torch.zeros_like(meets)
    for first, second in _overlapping(windows):
        index = torch.cat((own[first], own[second]))
        begins, ends = windows[second].start - 0.5, min(windows[first].stop, windows[second].stop) - 0.5
        index = index[(start[index] <= ends) & (end[index] >= begins)]
        meets[index] = True
        hard = {"method": "hard", "tiou_threshold": settings.window_tiou, "min_score": 0.0}
        rule = settings.model_copy(update={**hard, "max_detections": max(len(index), 1)})
        segments, scores, labels = (one[index] for one in together[:3])
        kept = suppress(segments, scores, labels, rule)
        stays[index[kept.index]] = True
    return together.chosen(stays | ~meets)


def _overlapping(windows: Sequence[range]) -> Iterator[tuple[int, int]]:
    """The numbers of every two windows that share features, in the order of their starts."""
    for first, window in enumerate(windows):
        for second in range(first + 1, len(windows)):
            if windows[second].start >= window.stop:
                break
            yield first, second
