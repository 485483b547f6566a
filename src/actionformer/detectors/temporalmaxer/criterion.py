"""The published target of a positive moment's offsets: the action around it that its outputs come nearest to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from actionformer.detectors.pyramid import PyramidCriterion
from actionformer.nn.assignment import GroundTruth, Targets
from actionformer.nn.losses import diou_losses, focal_losses
from actionformer.nn.outputs import PyramidOutputs
from actionformer.nn.points import level_lengths, moments

DIOU_WEIGHT = 2.0


class Surroundings(NamedTuple):
    """All pairs of a positive moment and an action that it lies in, moment after moment."""

    row: Tensor
    """(N,) which of the P positive moments."""
    labels: Tensor
    """(N,) the action's class."""
    distances: Tensor
    """(N, 2) from the moment to the action's start and end, in strides of the level."""

    def to(self, device: torch.device) -> Surroundings:
        """The same on another device."""
        return Surroundings(*(one.to(device, non_blocking=True) for one in self))


class CheapestOffsets(PyramidCriterion):
    """Classes as everywhere; a positive moment's offsets are those of the cheapest action of all that contain it.

    The cost of an action is the focal loss of the moment's classes against that of the action, plus twice the
    distance-IoU loss of its offsets against the action's. Published code calls this SimOTA. The target follows the
    outputs from step to step. An action that the moment does not answer for may be the cheapest.
    """

    def losses(
        self, truths: Sequence[GroundTruth], device: torch.device
    ) -> list[Callable[[PyramidOutputs], Mapping[str, Tensor]]]:
        """For each batch of one step a function from outputs to the parts of its loss."""
        targets = [self.targets(truth) for truth in truths]
        normalizer = self.normalizer.update(sum(target.num_positives for target in targets))
        around = [surroundings(*pair, self.settings.strides) for pair in zip(truths, targets, strict=True)]
        return [
            partial(self._parts_of_cheapest, target.to(device), pairs.to(device), normalizer)
            for target, pairs in zip(targets, around, strict=True)
        ]

    def _parts_of_cheapest(
        self, targets: Targets, around: Surroundings, normalizer: float, outputs: PyramidOutputs
    ) -> dict[str, Tensor]:
        return self._parts(with_cheapest(targets, around, outputs), normalizer, outputs)


def surroundings(truth: GroundTruth, targets: Targets, strides: Sequence[int]) -> Surroundings:
    """The pairs of a batch."""
    levels = level_lengths(truth.padded_length, strides)
    position, count = torch.cat(moments(levels, strides)), sum(levels)
    video, moment = targets.positive_moments // count, targets.positive_moments % count
    segments, labels = torch.cat(list(truth.segments)).float(), torch.cat(list(truth.labels)).long()
    owner = torch.repeat_interleave(torch.tensor([len(one) for one in truth.segments]))
    distances = torch.stack((position[moment, None] - segments[:, 0], segments[:, 1] - position[moment, None]), dim=-1)
    inside = (distances >= 0).all(-1) & (video[:, None] == owner)  # (P, N)
    row, action = inside.nonzero().unbind(1)
    stride = torch.tensor(strides).repeat_interleave(torch.tensor(levels))[moment]
    return Surroundings(row, labels[action], distances[inside] / stride[row, None])


@torch.no_grad()
def with_cheapest(targets: Targets, around: Surroundings, outputs: PyramidOutputs) -> Targets:
    """Targets whose positive moments have the offsets of the cheapest action around them, the first of equals."""
    row, labels, distances = around
    positive = targets.positive_moments
    logits, offsets = (
        torch.cat(list(levels), dim=1).flatten(0, 1).float()[positive][row]
        for levels in (outputs.logits, outputs.offsets)
    )
    wanted = functional.one_hot(labels, logits.shape[1]).float()
    cost = focal_losses(logits, wanted).sum(-1) + DIOU_WEIGHT * diou_losses(offsets, distances)
    least = torch.full_like(positive, torch.inf, dtype=cost.dtype).scatter_reduce_(0, row, cost, "amin")
    number = torch.arange(len(row), device=row.device).masked_fill(cost > least[row], len(row))
    first = torch.full_like(positive, len(row)).scatter_reduce_(0, row, number, "amin")
    return targets.with_offsets(distances[first])
