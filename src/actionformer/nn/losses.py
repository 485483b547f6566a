"""Losses of a batch: focal loss for classes, distance-IoU loss for offsets, and what they are divided by.

Every loss is a sum, divided by a number known before the forward pass. So k batches of b, each divided
by the normaliser of all and added to the gradients, make the step that one batch of k * b makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from actionformer.core.errors import InputError
from actionformer.nn.assignment import Targets

_TINY = 1e-8


class Losses(NamedTuple):
    """Scalars with gradients, divided by the normaliser."""

    classification: Tensor
    regression: Tensor
    """Before its weight."""
    weighted_regression: Tensor

    @property
    def total(self) -> Tensor:
        """The one to minimise."""
        return self.classification + self.weighted_regression


def focal_loss(
    logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0, weight: Tensor | None = None
) -> Tensor:
    """Sum of the focal loss, a scalar; each case counts as much as `weight` says, by default 1. See `focal_losses`."""
    losses = focal_losses(logits, targets, alpha, gamma)
    return losses.sum() if weight is None else (losses * weight).sum()


def focal_losses(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """The focal loss of every case (Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, equation 5).

    `-a_t (1 - p_t)^gamma log(p_t)`, where p_t is the probability given to the target and a_t is alpha for a
    target of 1 and 1 - alpha for 0; for smoothed targets the factors and the logarithm are interpolated.

    Args:
        logits: any shape.
        targets: the same shape, in [0, 1].
        alpha: weight of the positive targets.
        gamma: how far easy cases are down-weighted; 0 for cross-entropy.

    Returns:
        The same shape.
    """
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    probability = logits.sigmoid()
    miss = probability * (1 - targets) + (1 - probability) * targets  # 1 - p_t
    balance = alpha * targets + (1 - alpha) * (1 - targets)
    return balance * miss**gamma * cross_entropy


def diou_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Sum of the distance-IoU loss, a scalar, which over no pair is 0 and has a gradient. See `diou_losses`."""
    return diou_losses(predicted, target).sum()


def diou_losses(predicted: Tensor, target: Tensor) -> Tensor:
    """The distance-IoU loss (Zheng et al., Distance-IoU Loss, AAAI 2020) of every pair about one moment.

    `1 - IoU + (centre distance / hull)^2`, each in [0, 1.25]: both segments contain their moment, so their
    centres are at most half the hull apart.

    Args:
        predicted: (P, 2) distances to start and end, not negative, in any one unit.
        target: (P, 2), likewise, of positive length.

    Returns:
        (P,)
    """
    hull = torch.maximum(predicted, target).sum(dim=-1)
    difference = predicted - target
    distance = 0.5 * (difference[..., 1] - difference[..., 0])
    return 1 - tiou_about_moments(predicted, target) + (distance / hull.clamp(min=_TINY)) ** 2


def tiou_about_moments(predicted: Tensor, target: Tensor) -> Tensor:
    """(P,) tIoU of pairs of segments about one moment, each (P, 2) distances to start and end, not negative."""
    intersection = torch.minimum(predicted, target).sum(dim=-1)
    union = predicted.sum(dim=-1) + target.sum(dim=-1) - intersection
    return intersection / union.clamp(min=_TINY)


def smooth_labels(classes: Tensor, smoothing: float) -> Tensor:
    """Class targets (..., K) mixed with a uniform one: `y (1 - e) + e / (K + 1)`, as published."""
    if smoothing == 0:
        return classes
    return classes * (1 - smoothing) + smoothing / (classes.shape[-1] + 1)


class LossNormalizer:
    """Running mean of the number of positive moments in a batch, that its losses are divided by."""

    def __init__(self, initial: float, momentum: float = 0.9) -> None:
        self.value = float(initial)
        self.momentum = momentum

    def update(self, num_positives: int) -> float:
        """Count a batch in, with at least 1 positive, and return the mean to divide that batch's losses by.

        Where gradients accumulate this is called once a step, with the positives of all its batches together.
        """
        self.value = self.momentum * self.value + (1 - self.momentum) * max(num_positives, 1)
        return self.value

    def state_dict(self) -> dict[str, float]:
        """What a resumed run needs."""
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Continue from `state_dict`."""
        self.value = float(state["value"])


class Criterion:
    """Losses of the network's outputs for given targets.

    Where every class has distances of its own (a trident boundary), those of each positive moment's classes are
    learned, and `iou_power` weighs the focal loss of these cases by tIoU ** power, gradient included (Shi et al.,
    TriDet, CVPR 2023, equation 8 as published code has it).

    Args:
        regression_weight: weight of the regression loss; below 0 it is
            `classification / max(regression, 0.01)`, without a gradient, so that both are of one size.
        label_smoothing: share of a class target that is spread over all classes.
        iou_power: see above; it has no effect where classes share their distances.
        accumulate: batches whose gradients make one step.

    Raises:
        InputError: a weight below 0 depends on the losses of the whole step, which no single one of several
            accumulated batches knows.
    """

    def __init__(
        self,
        *,
        regression_weight: float = 1.0,
        label_smoothing: float = 0.0,
        iou_power: float = 0.0,
        accumulate: int = 1,
    ) -> None:
        if regression_weight < 0 and accumulate > 1:
            raise InputError(
                f"training.regression_weight is {regression_weight} and training.accumulate {accumulate}: "
                "a weight below 0 needs the losses of a whole step at once; "
                "set accumulate to 1 or regression_weight to 0 or more"
            )
        self.regression_weight = regression_weight
        self.label_smoothing = label_smoothing
        self.iou_power = iou_power

    def __call__(
        self, logits: Sequence[Tensor], offsets: Sequence[Tensor], targets: Targets, normalizer: float
    ) -> Losses:
        """Losses of a batch, in float32 whatever the outputs are in.

        Args:
            logits: of every level (B, T_l, K).
            offsets: of every level (B, T_l, 2) or (B, T_l, K, 2), in strides of the level, not negative.
            targets: of the same moments, all levels concatenated.
            normalizer: what `LossNormalizer.update` returned for the step.
        """
        all_logits = torch.cat(list(logits), dim=1).flatten(0, 1).float()
        all_offsets = torch.cat(list(offsets), dim=1).flatten(0, 1).float()
        all_classes, valid, positive = targets.classes.flatten(0, 1), targets.valid_moments, targets.positive_moments
        predicted, wanted = all_offsets[positive], targets.offsets.flatten(0, 1)[positive]
        weight = None
        if predicted.ndim == 3:  # (P, K, 2): one entry for each positive moment and class of it
            moment, label = all_classes[positive].nonzero().unbind(1)
            predicted, wanted = predicted[moment, label], wanted[moment]
            if self.iou_power:
                tiou = tiou_about_moments(predicted, wanted)
                entries = positive[moment], label
                weight = torch.ones_like(all_logits).index_put(entries, tiou.clamp(min=_TINY) ** self.iou_power)[valid]
        classes = smooth_labels(all_classes[valid], self.label_smoothing)
        classification = focal_loss(all_logits[valid], classes, weight=weight) / normalizer
        regression = diou_loss(predicted, wanted) / normalizer
        scale = self._scale(classification.detach(), regression.detach())
        return Losses(classification, regression, scale * regression)

    def _scale(self, classification: Tensor, regression: Tensor) -> Tensor | float:
        if self.regression_weight < 0:
            return classification / regression.clamp(min=0.01)
        return self.regression_weight
