"""Targets: which moment of the pyramid answers for which action (ActionFormer, ECCV 2022, section 3.3).

All positions are level-0 grid steps in float32, so that comparisons at the edges decide as in the published
implementation. M stands for the moments of all levels together, finest level first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from actionformer.nn.points import level_lengths, moments

LENGTH_TOLERANCE = 1e-3
"""Actions whose lengths differ by no more (grid steps) share a moment: each adds its class."""


@dataclass(frozen=True)
class GroundTruth:
    """The actions of a batch of videos, padded on the right to one length."""

    segments: Sequence[Tensor]
    """For each video (N, 2) starts and ends of its actions, in level-0 steps; N may differ and may be 0."""
    labels: Sequence[Tensor]
    """For each video (N,) their classes, integers in [0, K)."""
    lengths: Sequence[int]
    """T of each video, before padding."""
    padded_length: int
    """Features of every sequence, padding included."""
    proposals: Sequence[Tensor] = ()
    """For each video (N, 2) float32 segments to judge, in level-0 steps; none where the detector takes none."""


@dataclass(frozen=True)
class Targets:
    """What the network should say about a batch.

    Attributes:
        classes: (B, M, K) float32, 1 for each class of a moment.
        offsets: (B, M, 2) float32, distances to start and end of the action in strides of the level, else 0.
        valid: (B, M) bool, False at padding.
    """

    classes: Tensor
    offsets: Tensor
    valid: Tensor

    @cached_property
    def positive(self) -> Tensor:
        """(B, M) bool, the valid moments that answer for an action."""
        return self.valid & (self.classes > 0).any(dim=-1)

    @cached_property
    def valid_moments(self) -> Tensor:
        """(V,) where in B * M, all moments of the batch in a row, the valid ones are."""
        return self.valid.flatten().nonzero()[:, 0]

    @cached_property
    def positive_moments(self) -> Tensor:
        """(P,) where in B * M the positive ones are."""
        return self.positive.flatten().nonzero()[:, 0]

    @property
    def num_positives(self) -> int:
        """Positive moments of the whole batch."""
        return len(self.positive_moments)

    def to(self, device: torch.device | str) -> Targets:
        """The same targets on another device; which moments matter is found here, where nobody has to wait for it."""
        moved = Targets(*(part.to(device, non_blocking=True) for part in (self.classes, self.offsets, self.valid)))
        for name in ("valid_moments", "positive_moments"):
            vars(moved)[name] = getattr(self, name).to(device, non_blocking=True)
        return moved

    def with_offsets(self, distances: Tensor) -> Targets:
        """The same targets with other distances (P, 2) to start and end for the positive moments."""
        offsets = self.offsets.flatten(0, 1).index_copy(0, self.positive_moments, distances)
        changed = Targets(self.classes, offsets.view_as(self.offsets), self.valid)
        for name in ("valid_moments", "positive_moments"):
            vars(changed)[name] = getattr(self, name)
        return changed


def assign_batch(
    segments: Sequence[Tensor],
    labels: Sequence[Tensor],
    lengths: Sequence[int],
    *,
    padded_length: int,
    strides: Sequence[int],
    ranges: Sequence[tuple[float, float]],
    num_classes: int,
    center_radius: float | None,
) -> Targets:
    """Targets of a batch of videos, padded on the right.

    A moment t is positive for an action (start, end) when it lies strictly inside the action, with centre
    sampling also strictly inside `centre +- center_radius * stride`, and `max(t - start, end - t)` lies in
    the level's range, both ends included. Of several such actions the shortest (the first of equals) gives
    the offsets, and every one of its length, within `LENGTH_TOLERANCE`, adds its class.

    Only pairs of a moment and an action that answers for it are ever written down, all videos together.

    Args:
        segments: for each video (N, 2) starts and ends of its actions, in level-0 steps; N may differ and may be 0.
        labels: for each video (N,) their classes, integers in [0, K).
        lengths: T of each video, before padding.
        padded_length: features of every sequence, padding included.
        strides: level-0 steps between the moments of each level.
        ranges: distances that each level is responsible for, in level-0 steps.
        num_classes: K.
        center_radius: in strides of the level; None for no centre sampling.
    """
    levels = level_lengths(padded_length, strides)
    position = torch.cat(moments(levels, strides))
    videos, count = len(segments), len(segments) * len(position)
    moment, action, distances, leads = _assigned(segments, levels, strides, ranges, center_radius)
    classes, offsets = torch.zeros(count, num_classes), torch.zeros(count, 2)
    classes[moment, torch.cat(list(labels)).long()[action]] = 1
    offsets[moment[leads]] = distances[leads]
    valid = position < torch.tensor(lengths)[:, None]
    return Targets(classes.view(videos, -1, num_classes), offsets.view(videos, -1, 2), valid)


def answering(
    segments: Sequence[Tensor],
    lengths: Sequence[int],
    *,
    strides: Sequence[int],
    ranges: Sequence[tuple[float, float]],
    center_radius: float | None,
) -> Tensor:
    """How many moments learn the class of each action: (N,) counts, N actions of all videos in a row.

    The rule and the arguments are those of `assign_batch`: an action of which this says 0 teaches nothing.
    """
    levels = level_lengths(max(lengths), strides)
    position = torch.cat(moments(levels, strides))
    moment, action, _, _ = _assigned(segments, levels, strides, ranges, center_radius)
    valid = position[moment % len(position)] < torch.tensor(lengths)[moment // len(position)]
    return action[valid].bincount(minlength=sum(map(len, segments)))


def _assigned(
    segments: Sequence[Tensor],
    levels: Sequence[int],
    strides: Sequence[int],
    ranges: Sequence[tuple[float, float]],
    center_radius: float | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The P pairs of a moment and an action of which it learns the class.

    Returns:
        moment (P,) of B * M, action (P,) of all videos in a row, distances (P, 2) to start and end in strides of the
        level, and (P,) whether the moment learns them, which it does of one action.
    """
    every = torch.cat(list(segments)).float()
    order = (every[:, 1] - every[:, 0]).argsort(stable=True)  # the shortest first, equals in their order
    actions, video = every[order], torch.repeat_interleave(torch.tensor([len(one) for one in segments]))[order]
    moment, action, distances = _responsible(levels, strides, ranges, actions, center_radius)
    moment = moment + sum(levels) * video[action]  # all videos in a row
    size = actions[:, 1] - actions[:, 0]
    count = len(segments) * sum(levels)
    first = torch.full((count,), len(actions)).scatter_reduce_(0, moment, action, "amin")[moment]
    shared = size[action] <= size[first] + LENGTH_TOLERANCE
    return moment[shared], order[action[shared]], distances[shared], (action == first)[shared]


def _responsible(
    lengths: Sequence[int],
    strides: Sequence[int],
    ranges: Sequence[tuple[float, float]],
    segments: Tensor,
    center_radius: float | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """All P pairs of a moment and one of N actions that it may answer for, whose `segments` are (N, 2).

    An action's moments at a level are those between two bounds. They are computed first, rounded outwards to whole
    moments, and the moments between them are then asked the exact question.

    Returns:
        moment (P,) of M, action (P,) of N, distances (P, 2) to start and end in strides of the level.
    """
    count, stride = torch.tensor(lengths)[:, None], torch.tensor(strides, dtype=torch.float32)[:, None]  # (L, 1)
    least, largest = torch.tensor(ranges, dtype=torch.float32)[:, :, None].unbind(1)  # (L, 1)
    start, end = segments.unbind(1)  # (N,)
    left, right = start.expand(len(strides), -1), end.expand(len(strides), -1)  # (L, N)
    if center_radius is not None:
        center, radius = 0.5 * (start + end), center_radius * stride
        left, right = torch.maximum(left, center - radius), torch.minimum(right, center + radius)
    low = (torch.maximum(left, end - largest) / stride).floor().clamp(min=0).long()
    high = torch.minimum((torch.minimum(right, start + largest) / stride).ceil(), count - 1).long()

    number = (high - low + 1).clamp(min=0).flatten()  # of moments to ask, (L * N,)
    pair = torch.repeat_interleave(number)  # (P,), which level and action
    index = torch.arange(len(pair)) - (number.cumsum(0) - number)[pair] + low.flatten()[pair]
    level, action = pair // max(len(segments), 1), pair % max(len(segments), 1)
    stride, least, largest = (one[level, 0] for one in (stride, least, largest))
    position = index * stride
    distances = torch.stack((position - start[action], end[action] - position), dim=1)
    reach = distances.amax(dim=1)
    inside = (position > left.flatten()[pair]) & (position < right.flatten()[pair])
    chosen = inside & (reach >= least) & (reach <= largest)
    moment = (count.cumsum(0) - count)[level, 0] + index
    return moment[chosen], action[chosen], (distances / stride[:, None])[chosen]
