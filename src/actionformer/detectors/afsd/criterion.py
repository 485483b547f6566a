"""The loss of AFSD (Lin et al., CVPR 2021, section 3.4): coarse and refined segments, their quality, boundaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.detectors.afsd.network import Outputs
from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.detectors.afsd.targets import Targets, targets_of
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.criterion import Memoryless

ALPHA, GAMMA = 0.75, 2.0
"""Of the focal loss; the background counts 1 - ALPHA."""
TINY = 1e-6
BESIDE = 0.1
"""What the boundaries of level 0 count beside those of the frame feature."""


class AFSDCriterion(Memoryless):
    """Losses of every sequence over its own positive moments, then the mean over the sequences of the step.

    Args:
        settings: of the network.
        shift: steps from where a sequence begins to its first feature.
    """

    def __init__(self, settings: AFSDSettings, shift: float) -> None:
        self.settings = settings
        self.shift = shift

    def losses(
        self, truths: Sequence[GroundTruth], device: torch.device
    ) -> list[Callable[[Outputs], Mapping[str, Tensor]]]:
        """For each batch of one step a function from outputs to the parts of its loss."""
        sequences = sum(len(truth.lengths) for truth in truths)
        return [partial(self.parts, self.targets(truth).to(device), sequences) for truth in truths]

    def targets(self, truth: GroundTruth) -> Targets:
        """What the network should say about a batch."""
        return targets_of(truth, self.settings, self.shift)

    def parts(self, targets: Targets, sequences: int, outputs: Outputs) -> dict[str, Tensor]:
        """The named parts of the loss of a batch, over the sequences of its step."""
        distances, shifts = outputs.distances.float(), outputs.shifts.float()
        counted = torch.ones_like(targets.labels) if outputs.valid is None else outputs.valid
        labels = targets.labels * counted
        refined = self.refined_labels(distances, labels, targets.distances)
        positive, again = labels > 0, refined > 0
        half = distances.sum(-1, keepdim=True) / 2
        wanted = ((targets.distances - distances) / half).detach()
        overlap = tiou(distances + half * shifts, targets.distances).clamp(min=0)
        overlap = overlap if self.settings.center_moves else overlap.detach()
        fit = F.binary_cross_entropy_with_logits(outputs.center.float(), overlap, reduction="none")
        losses = {
            "location": self.settings.location_weight * _mean(1 - tiou(distances, targets.distances), positive),
            "classification": _mean(focal(outputs.logits, labels) * counted, positive, of=counted),
            "center": _mean(fit, positive),
            "refined_location": self.settings.location_weight * _mean(self._apart(shifts, wanted), again),
            "refined_classification": _mean(focal(outputs.refined_logits, refined) * counted, again, of=counted),
            **self.boundary_losses(outputs, targets),
        }
        return {name: loss.sum() / sequences for name, loss in losses.items()}

    @torch.no_grad()
    def refined_labels(self, distances: Tensor, labels: Tensor, wanted: Tensor) -> Tensor:
        """(B, M) labels of the refined heads: those of moments whose coarse segment is good, else background."""
        overlap = tiou(distances, wanted)
        least = torch.full_like(overlap[:, :1], self.settings.refined_tiou)
        if self.settings.refine_best:
            least = torch.minimum(least, overlap.masked_fill(labels == 0, 0).amax(1, keepdim=True))
        return labels * (overlap >= least)

    def _apart(self, shifts: Tensor, wanted: Tensor) -> Tensor:
        """(B, M) how far shifts are from what they should be."""
        loss = F.smooth_l1_loss if self.settings.refined_loss == "smooth_l1" else F.l1_loss
        return loss(shifts, wanted, reduction="none").sum(-1)

    def boundary_losses(self, outputs: Outputs, targets: Targets) -> dict[str, Tensor]:
        """(B,) of starts and of ends: cross-entropy over the frames, and over level 0 of both branches."""
        step = self.settings.frames_per_feature
        valid = None if outputs.valid is None else outputs.valid[:, : outputs.boundaries.shape[2]]
        frames = None if valid is None else valid.repeat_interleave(step, dim=1)
        on_frames = _boundary_loss(outputs.frame_boundaries, targets.boundaries, frames)  # (B, 2)
        on_level = sum(_boundary_loss(one, targets.boundaries[:, ::step], valid) for one in outputs.boundaries)
        start, end = (on_frames + BESIDE * on_level).unbind(1)
        return {"start": start, "end": end}


def focal(logits: Tensor, labels: Tensor) -> Tensor:
    """(B, M) focal loss of the softmax of logits (B, M, 1 + K): `-a (1 - p)^2 log p`, p that of the label."""
    probability = logits.float().softmax(-1).gather(-1, labels[..., None]).squeeze(-1) + TINY
    alpha = torch.where(labels > 0, ALPHA, 1 - ALPHA)
    return -alpha * (1 - probability) ** GAMMA * probability.log()


def tiou(first: Tensor, second: Tensor) -> Tensor:
    """tIoU of segments (..., 2), distances to both sides of one moment; below 0 where they lie apart."""
    shared = torch.minimum(first, second).sum(-1)
    return shared / (first.sum(-1) + second.sum(-1) - shared).clamp(min=TINY)


def _mean(losses: Tensor, positive: Tensor, *, of: Tensor | None = None) -> Tensor:
    """(B,) the sum of losses (B, M) over the positive moments, or over others, divided by how many are positive."""
    number = positive.sum(1).clamp(min=1)
    return torch.where(positive if of is None else of.bool(), losses, 0).sum(1) / number


def _boundary_loss(probability: Tensor, wanted: Tensor, valid: Tensor | None) -> Tensor:
    """(B, 2) mean cross-entropy over time of probabilities (B, T, 2)."""
    losses = F.binary_cross_entropy(probability, wanted, reduction="none")
    if valid is None:
        return losses.mean(1)
    return (losses * valid[..., None]).sum(1) / valid.sum(1, keepdim=True).clamp(min=1)
