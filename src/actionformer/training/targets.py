"""Targets: which moment of the pyramid answers for which action (ActionFormer, ECCV 2022, section 3.3).

All positions are level-0 grid steps in float32, so that comparisons at the edges decide as in the published
implementation. M stands for the moments of all levels together, finest level first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from actionformer.model.points import level_lengths, moments

LENGTH_TOLERANCE = 1e-3
"""Actions whose lengths differ by no more (grid steps) share a moment: each adds its class."""

_PAIRS_AT_ONCE = 2**21
"""Moment-action pairs held in memory together."""


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

    @property
    def positive(self) -> Tensor:
        """(B, M) bool, the valid moments that answer for an action."""
        return self.valid & (self.classes > 0).any(dim=-1)

    @property
    def num_positives(self) -> int:
        """Positive moments of the whole batch."""
        return int(self.positive.sum())

    def to(self, device: torch.device | str) -> Targets:
        """The same targets on another device."""
        return Targets(self.classes.to(device), self.offsets.to(device), self.valid.to(device))


def assign(
    lengths: Sequence[int],
    *,
    strides: Sequence[int],
    ranges: Sequence[tuple[float, float]],
    segments: Tensor,
    labels: Tensor,
    num_classes: int,
    center_radius: float | None,
) -> tuple[Tensor, Tensor]:
    """Targets of one video.

    A moment t is positive for an action (start, end) when it lies strictly inside the action, with centre
    sampling also strictly inside `centre +- center_radius * stride`, and `max(t - start, end - t)` lies in
    the level's range, both ends included. Of several such actions the shortest (the first of equals) gives
    the offsets, and every one of its length, within `LENGTH_TOLERANCE`, adds its class.

    Args:
        lengths: T_l, moments of each level; they sum to M.
        strides: level-0 steps between the moments of each level.
        ranges: distances that each level is responsible for, in level-0 steps.
        segments: (N, 2) starts and ends of the actions, in level-0 steps.
        labels: (N,) their classes, integers in [0, K).
        num_classes: K.
        center_radius: in strides of the level; None for no centre sampling.

    Returns:
        Classes (M, K) float32, 0 or 1, and offsets (M, 2) float32 in strides of the level, 0 without a class.
    """
    segments = segments.float()
    one_hot = functional.one_hot(labels.long(), num_classes).float()
    points = _points(lengths, strides, ranges, segments.device)
    if len(segments) == 0:
        return points.new_zeros(len(points), num_classes), points.new_zeros(len(points), 2)
    parts = [
        _assign_points(chunk, segments, one_hot, center_radius)
        for chunk in torch.split(points, max(1, _PAIRS_AT_ONCE // len(segments)))
    ]
    classes, offsets = zip(*parts, strict=True)
    return torch.cat(classes), torch.cat(offsets)


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

    Args:
        segments: for each video (N, 2), in level-0 steps; N may differ and may be 0.
        labels: for each video (N,).
        lengths: T of each video, before padding.
        padded_length: features of every sequence, padding included.
        strides: as in `assign`, and so are the others.
        ranges: see there.
        num_classes: K.
        center_radius: see there.
    """
    levels = level_lengths(padded_length, strides)
    pairs = [
        assign(
            levels,
            strides=strides,
            ranges=ranges,
            segments=video_segments,
            labels=video_labels,
            num_classes=num_classes,
            center_radius=center_radius,
        )
        for video_segments, video_labels in zip(segments, labels, strict=True)
    ]
    classes, offsets = (torch.stack(part) for part in zip(*pairs, strict=True))
    position = torch.cat(moments(levels, strides, classes.device))
    valid = position < torch.tensor(lengths, device=position.device)[:, None]
    return Targets(classes, offsets, valid)


def _points(
    lengths: Sequence[int],
    strides: Sequence[int],
    ranges: Sequence[tuple[float, float]],
    device: torch.device,
) -> Tensor:
    """(M, 4) float32: position, stride and least and largest distance of every moment."""
    levels = [(stride, *distances) for stride, distances in zip(strides, ranges, strict=True)]
    counts = torch.tensor(lengths, device=device)
    per_moment = torch.tensor(levels, dtype=torch.float32, device=device).repeat_interleave(counts, dim=0)
    return torch.cat((torch.cat(moments(lengths, strides, device))[:, None], per_moment), dim=1)


def _assign_points(
    points: Tensor, segments: Tensor, one_hot: Tensor, center_radius: float | None
) -> tuple[Tensor, Tensor]:
    """`assign` for some moments and N >= 1 actions: `points` as from `_points`, `one_hot` (N, K)."""
    length = segments[:, 1] - segments[:, 0]
    length = torch.where(_responsible(points, segments, center_radius), length, torch.inf)  # (M, N)
    shortest, action = length.min(dim=1, keepdim=True)
    positive = shortest.isfinite()
    shared = (length <= shortest + LENGTH_TOLERANCE) & positive
    classes = (shared.float() @ one_hot).clamp(max=1)
    position, stride = points[:, :1], points[:, 1:2]
    start, end = segments[:, 0][action], segments[:, 1][action]
    offsets = torch.cat((position - start, end - position), dim=1) / stride
    return classes, torch.where(positive, offsets, 0.0)


def _responsible(points: Tensor, segments: Tensor, center_radius: float | None) -> Tensor:
    """(M, N) bool: may moment m answer for action n?"""
    position, stride, least, largest = torch.split(points, 1, dim=1)  # each (M, 1)
    start, end = segments[:, 0], segments[:, 1]
    reach = torch.maximum(position - start, end - position)
    in_range = (reach >= least) & (reach <= largest)
    if center_radius is not None:
        center, radius = 0.5 * (start + end), center_radius * stride
        start, end = torch.maximum(start, center - radius), torch.minimum(end, center + radius)
    return in_range & (position > start) & (position < end)
