"""What the network should say: shares of boundaries, and of every segment how much it overlaps which actions.

Positions are in steps: step k lies from k to k + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from actionformer.nn.segment_map.cells import Cells
from actionformer.nn.segment_map.rules import Rules

AROUND_BOUNDARY = 1.5
"""Steps on either side of a boundary that count as being there."""
LEAST_SHARE = 0.5
"""Share of a step around a boundary above which it is positive."""
LEAST_OVERLAP = 0.9
"""tIoU with an action above which a segment is one of its class."""


@dataclass(frozen=True, eq=False)
class Targets:
    """Of a batch."""

    start: Tensor
    """(B, T) bool whether an action starts in a step."""
    end: Tensor
    """(B, T) bool"""
    steps: Tensor
    """(B, T) bool the steps that count."""
    overlap: Tensor
    """(B, M) float32 largest tIoU of each of M places of the map with an action; 0 where it is no segment."""
    classes: Tensor
    """(B, M, K) bool whether it is an action of a class."""
    counts: Tensor
    """(B, M) bool the places of the map that are segments and count."""
    weights: Tensor
    """(B, M) float32 what they count for classes: the segments of one action share 1, others have 1 each."""

    def to(self, device: torch.device) -> Targets:
        """The same on another device."""
        return Targets(*(one.to(device, non_blocking=True) for one in vars(self).values()))


def targets_of(
    segments: Sequence[Tensor],
    labels: Sequence[Tensor],
    lengths: Sequence[int],
    cells: Cells,
    rules: Rules,
    *,
    length: int,
    num_classes: int,
) -> Targets:
    """The targets of a batch of B sequences.

    Args:
        segments: of each sequence (N, 2) starts and ends of its actions, in steps.
        labels: (N,) their classes.
        lengths: steps of each sequence that are no padding.
        cells: of the map.
        rules: how boundaries and segments are taught.
        length: T.
        num_classes: K.
    """
    starts, ends = ([boundary_shares(one[:, side], length, rules) for one in segments] for side in (0, 1))
    overlaps, classes, weights = zip(
        *(
            _on_map(_late(one, length, rules), numbers, cells, rules, num_classes)
            for one, numbers in zip(segments, labels, strict=True)
        ),
        strict=True,
    )
    seen = torch.tensor([length] * len(lengths) if rules.published else lengths)[:, None]
    inside = torch.zeros(len(lengths), cells.size, dtype=torch.bool)
    inside[:, cells.index] = cells.last < seen
    return Targets(
        start=is_boundary(torch.stack(starts), rules),
        end=is_boundary(torch.stack(ends), rules),
        steps=torch.arange(length) < seen,
        overlap=torch.stack(overlaps) * inside,
        classes=torch.stack(classes) & inside[..., None],
        counts=inside,
        weights=torch.stack(weights),
    )


def _late(segments: Tensor, length: int, rules: Rules) -> Tensor:
    """Segments (N, 2) as the map has them."""
    return (segments + rules.map_offset).clamp(0, length) if rules.map_offset else segments


def boundary_shares(positions: Tensor, length: int, rules: Rules) -> Tensor:
    """Positions (N,) of one kind of boundary -> (T,) the largest share of each step that lies around one."""
    if not len(positions):
        return torch.zeros(length)
    step = torch.arange(length) + rules.boundary_offset
    low = torch.maximum(step, positions[:, None] - AROUND_BOUNDARY)
    high = torch.minimum(step + rules.boundary_span, positions[:, None] + AROUND_BOUNDARY)
    return (high - low).clamp(min=0).amax(0) / rules.boundary_span


def is_boundary(shares: Tensor, rules: Rules) -> Tensor:
    """Which steps are positive, of their shares."""
    return shares >= 1 if rules.whole_steps else shares > LEAST_SHARE


def tious(segments: Tensor, cells: Cells) -> Tensor:
    """(N, V) of actions (N, 2) with the V cells."""
    start, end = segments.float()[:, :, None].unbind(1)  # (N, 1)
    low, high = cells.segments.unbind(1)  # (V,)
    shared = (torch.minimum(end, high) - torch.maximum(start, low)).clamp(min=0)
    return shared / (end - start + high - low - shared)


def _on_map(
    segments: Tensor, labels: Tensor, cells: Cells, rules: Rules, num_classes: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Of one sequence's map the largest tIoU (M,), the classes (M, K), and what places count for classes (M,)."""
    overlap, classes = torch.zeros(cells.size), torch.zeros(cells.size, num_classes, dtype=torch.bool)
    weights = torch.ones(cells.size)
    if len(segments):
        tiou = tious(segments, cells)
        overlap[cells.index] = tiou.amax(0)
        positive = positives(segments, tiou, cells, rules)
        action, cell = positive.nonzero(as_tuple=True)
        classes[cells.index[cell], labels.long()[action]] = True
        if not rules.published:  # as many segments overlap a long action enough as it has steps, and one a short one
            weights[cells.index[cell]] = 1 / positive.sum(1)[action]
    return overlap, classes, weights


def positives(segments: Tensor, tiou: Tensor, cells: Cells, rules: Rules) -> Tensor:
    """(N, V) bool which cells are each of N actions, of their tIoU.

    Beside those that overlap it enough it is the nearest, without which a short action would be none: its ends lie up
    to half a step beside those of any segment. Actions that are longer than the map have no nearest one.
    """
    positive = tiou > LEAST_OVERLAP
    if not rules.published:
        fits = segments[:, 1] - segments[:, 0] <= cells.lengths.max() + 1
        positive[torch.arange(len(tiou)), tiou.argmax(1)] |= fits & (tiou.amax(1) > 0)
    return positive
