"""What AFSD's network should say: which moment learns which action, and where actions start and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from actionformer.detectors.afsd.network import moments
from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.nn.assignment import GroundTruth

SHARE, LEAST = 10.0, 2.0
"""The region of a boundary is a tenth of its action long, and at least 2 frames."""


@dataclass(frozen=True)
class Targets:
    """Of B sequences with M moments and N frames each, padding included."""

    labels: Tensor
    """(B, M) 0 for the background, 1 + k for class k."""
    distances: Tensor
    """(B, M, 2) to start and end of the moment's action, in frames; 0 in the background."""
    boundaries: Tensor
    """(B, N, 2) 1 in the regions of starts and of ends, else 0."""

    def to(self, device: torch.device) -> Targets:
        """The same where the network is."""
        return Targets(self.labels.to(device), self.distances.to(device), self.boundaries.to(device))


def targets_of(truth: GroundTruth, settings: AFSDSettings, shift: float) -> Targets:
    """The targets of a batch.

    A moment inside an action, ends included, learns it, with `level_bounds` if the further end is within those of its
    level. Of several actions it learns the shortest.

    Args:
        truth: the actions, in grid steps.
        settings: of the network.
        shift: steps from where a sequence begins to its first feature.
    """
    at, bounds = moments(truth.padded_length, settings), _bounds(truth.padded_length, settings)
    count = truth.padded_length * settings.frames_per_feature
    labels, distances, boundaries = [], [], []
    for segments, classes in zip(truth.segments, truth.labels, strict=True):
        frames = (segments.float() + shift) * settings.frames_per_feature
        action, apart = _answered(frames, at, bounds)
        there = action >= 0
        labels.append(torch.where(there, _taken(classes + 1, action), 0))
        distances.append(apart * there[:, None])
        boundaries.append(torch.stack([_around(edge, frames, count) for edge in frames.unbind(1)], dim=1))
    return Targets(torch.stack(labels), torch.stack(distances), torch.stack(boundaries))


def answering(segments: Sequence[Tensor], lengths: Sequence[int], settings: AFSDSettings, shift: float) -> Tensor:
    """(N,) how many moments learn each of the N actions of some sequences; see `targets_of`."""
    found = [torch.zeros(0, dtype=torch.int64)]
    last = settings.strides[-1]
    for own, length in zip(segments, lengths, strict=True):
        padded = -(-length // last) * last
        frames = (own.float() + shift) * settings.frames_per_feature
        action, _ = _answered(frames, moments(padded, settings), _bounds(padded, settings))
        found.append(torch.bincount(action[action >= 0], minlength=len(own)))
    return torch.cat(found)


def _answered(frames: Tensor, at: Tensor, bounds: Tensor | None) -> tuple[Tensor, Tensor]:
    """Of the moments at (M,) which of the actions (N, 2) each learns, -1 for none, and distances (M, 2) to its ends."""
    if not len(frames):
        return torch.full((len(at),), -1), torch.zeros(len(at), 2)
    apart = torch.stack((at[:, None] - frames[:, 0], frames[:, 1] - at[:, None]), dim=-1)  # (M, N, 2)
    inside = (apart >= 0).all(-1)
    if bounds is not None:
        furthest = apart.amax(-1)
        inside &= (furthest > bounds[:, :1]) & (furthest <= bounds[:, 1:])
    length = torch.where(inside, frames[:, 1] - frames[:, 0], torch.inf)
    least, action = length.min(1)
    return torch.where(least.isfinite(), action, -1), apart[torch.arange(len(at)), action]


def _taken(classes: Tensor, action: Tensor) -> Tensor:
    """(M,) the class of each moment's action; any where there is none."""
    return classes[action.clamp(min=0)] if len(classes) else torch.zeros_like(action)


def _bounds(length: int, settings: AFSDSettings) -> Tensor | None:
    """(M, 2) frames between which the distance to the further end is learned, for each moment; None for any."""
    if settings.level_bounds is None:
        return None
    counts = torch.tensor([length // stride for stride in settings.strides])
    return (torch.tensor(settings.level_bounds) * settings.frames_per_feature).repeat_interleave(counts, dim=0)


def _around(edge: Tensor, frames: Tensor, count: int) -> Tensor:
    """(count,) 1 in the regions around the starts, or the ends, of actions."""
    half = ((frames[:, 1] - frames[:, 0]) / SHARE).clamp(min=LEAST) / 2
    first, last = ((edge + side * half).round().clamp(0, count - 1)[:, None] for side in (-1, 1))
    at = torch.arange(count)
    return ((at >= first) & (at <= last)).any(0).float()
