"""From the map of segments to candidates."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.inference.settings import DecodingSettings
from actionformer.nn.decoding import Candidates
from actionformer.nn.segment_map.cells import Cells
from actionformer.nn.segment_map.outputs import MapOutputs
from actionformer.nn.segment_map.rules import Rules

LIKELY = 0.5
"""Share of the highest probability of a boundary above which others are likely without being peaks."""


class _Found(NamedTuple):
    """Of a batch, where the network is."""

    scores: Tensor
    """(B, N) the best pairs of segment and class, best first."""
    pairs: Tensor
    """(B, N) which they are: segment * K + class."""
    classes: int
    """K"""
    left: Tensor
    """(B,) the highest score that was left out."""
    finite: Tensor
    """(B,) bool whether all outputs are."""


class MapDecoder:
    """Every segment from a start to an end is a candidate per class.

    Its score is the probability of the overlap, times that of the class, times the share of the class among all: each
    class was trained against all others by itself, and like ones are both sure of the same segment.

    Args:
        cells: of the map.
        rules: how it is read.
        settings: which segments are looked at, whether the boundaries' probabilities count, thresholds.
        shift: steps from where a step begins to its feature, which positions in grid steps count from.
        most: pairs of segment and class that are kept.
    """

    def __init__(self, cells: Cells, rules: Rules, settings: DecodingSettings, *, shift: float, most: int) -> None:
        self.cells, self.rules, self.settings = cells, rules, settings
        self.shift, self.most = shift, most
        self._found: list[_Found] = []

    @torch.no_grad()
    def add(self, outputs: MapOutputs) -> None:
        """Takes in a batch's outputs, which come at once; nothing waits for the device."""
        start, end, overlap, classes = (one.float() for one in outputs[:4])
        finite = torch.stack([one.flatten(1).isfinite().all(1) for one in (start, end, overlap, classes)]).all(0)
        index, first, last = (one.to(start.device) for one in (self.cells.index, self.cells.first, self.cells.last))
        classes = classes.flatten(1, 2)[:, index]
        scores = overlap.flatten(1)[:, index].sigmoid()[..., None] * classes.sigmoid() * classes.softmax(-1)
        weight = self._weights(start.sigmoid(), end.sigmoid(), outputs.valid, first, last)
        scores = (scores * weight[..., None]).flatten(1)  # (B, V * K)
        best = scores.topk(min(self.most, scores.shape[1]))
        left = scores.scatter(1, best.indices, 0).amax(1)
        self._found.append(_Found(best.values, best.indices, outputs.classes.shape[-1], left, finite))

    def _weights(self, start: Tensor, end: Tensor, valid: Tensor | None, first: Tensor, last: Tensor) -> Tensor:
        """(B, V) what boundaries make of each segment's score: 0 of those that are not looked at."""
        length = start.shape[1]
        stop = last + self.rules.end_step
        there = (stop < length).expand(len(start), -1)
        stop = stop.clamp(max=length - 1)
        if valid is not None:
            start, end = start * valid, end * valid
            there = there & valid[:, last]
        if self.rules.too_long is not None:
            there = there & (last + 1 - first < self.rules.too_long)
        weight = there.float()
        if self.settings.boundary_scores:
            weight = weight * start[:, first] * end[:, stop]
        if self.settings.boundaries == "likely":
            begins, ends = likely(start), likely(end)
            begins[:, 0] = True
            ends |= torch.arange(length, device=end.device) == _last_step(end, valid)
            weight = weight * begins[:, first] * ends[:, stop]
        return weight

    def candidates(self) -> list[Candidates]:
        """Those of each sequence, in grid steps; their moment is the middle one."""
        return [one for found in self._found for one in self._of_batch(found)]

    def _of_batch(self, found: _Found) -> list[Candidates]:
        scores, pairs = found.scores.cpu(), found.pairs.cpu()
        first, last = (one[pairs // found.classes] for one in (self.cells.first, self.cells.last))
        segments = torch.stack((first, last + 1), dim=-1).double() - self.shift
        kept = (scores > self.settings.min_probability) & (last + 1 - first > self.settings.min_length)
        level, moment, label = torch.zeros_like(first), (first + last) // 2, pairs % found.classes
        return [
            Candidates(*(one[row, mask] for one in (segments, scores, label, level, moment)))
            for row, mask in enumerate(kept)
        ]

    def ranked(self) -> tuple[Tensor, Tensor, Tensor]:
        """The last batch's best pairs before thresholds: segments (B, N, 2) in grid steps, scores and labels (B, N)."""
        found = self._found[-1]
        segment = found.pairs // found.classes
        first, last = (one.to(segment.device)[segment] for one in (self.cells.first, self.cells.last))
        return torch.stack((first, last + 1), dim=-1).float() - self.shift, found.scores, found.pairs % found.classes

    def overflown(self) -> list[bool]:
        """Of each sequence whether the network gave a number that is not finite."""
        return [not finite for found in self._found for finite in found.finite.tolist()]

    def left_out(self) -> list[tuple[float, int]]:
        """The highest score that `decoding.top_k` has left out of each sequence, 0 if none; there is one level."""
        return [(score, 0) for found in self._found for score in found.left.tolist()]


def likely(probability: Tensor) -> Tensor:
    """(B, T) bool where a boundary's probability (B, T) is not below its neighbours' or above half of the highest."""
    before, after = F.pad(probability, (1, -1)), F.pad(probability, (-1, 1))
    peak = (probability >= before) & (probability >= after)
    return peak | (probability > LIKELY * probability.amax(1, keepdim=True))


def _last_step(x: Tensor, valid: Tensor | None) -> Tensor:
    """(B, 1) the last step that is no padding."""
    return torch.full((len(x), 1), x.shape[1] - 1, device=x.device) if valid is None else valid.sum(1, keepdim=True) - 1
