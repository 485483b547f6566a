"""The loss of MUSES: what proposals show, how much of an action, and how the action lies beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from actionformer.detectors.muses.drawing import BACKGROUND, FOREGROUND, INCOMPLETE, DrawnTruth, Examples
from actionformer.detectors.muses.network import Outputs
from actionformer.detectors.muses.settings import MUSESSettings
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.criterion import Memoryless

NOTHING = -1
"""The kind and the place of what is padding."""


class Batched(NamedTuple):
    """The M proposals of each of B sequences; those of sequences with fewer are padded. See `Examples`."""

    places: Tensor
    """(B, M)"""
    kinds: Tensor
    """(B, M)"""
    labels: Tensor
    """(B, M)"""
    shifts: Tensor
    """(B, M, 2)"""

    @classmethod
    def of(cls, every: Sequence[Examples]) -> Batched:
        """Those of some sequences."""
        places, kinds = (
            pad_sequence(list(one), batch_first=True, padding_value=NOTHING)
            for one in zip(*((one.places, one.kinds) for one in every), strict=True)
        )
        labels, shifts = (
            pad_sequence(list(one), batch_first=True)
            for one in zip(*((one.labels, one.shifts) for one in every), strict=True)
        )
        return cls(places, kinds, labels, shifts)

    def to(self, device: torch.device) -> Batched:
        """The same on another device."""
        return Batched(*(part.to(device, non_blocking=True) for part in self))


class MUSESCriterion(Memoryless):
    """Losses of every sequence over its own proposals, then the mean over the sequences of the step.

    Streams have weights of their own and learn side by side: losses are summed over them.
    """

    def __init__(self, settings: MUSESSettings) -> None:
        self.settings = settings

    def losses(
        self, truths: Sequence[GroundTruth], device: torch.device
    ) -> list[Callable[[Outputs], Mapping[str, Tensor]]]:
        """For each batch of one step, whose proposals were drawn, a function from outputs to the parts of its loss."""
        sequences = sum(len(truth.lengths) for truth in truths)
        return [partial(self.parts, batched(truth).to(device), sequences) for truth in truths]

    def parts(self, examples: Batched, sequences: int, outputs: Outputs) -> dict[str, Tensor]:
        """The named parts of the loss of a batch, over the sequences of its step."""
        settings = self.settings
        losses = {
            "activity": activity_loss(outputs, examples),
            "completeness": settings.completeness_weight * self.completeness_loss(outputs, examples),
            "refinement": settings.refinement_weight * refinement_loss(outputs, examples),
        }
        return {name: loss.sum() / sequences for name, loss in losses.items()}

    def completeness_loss(self, outputs: Outputs, examples: Batched) -> Tensor:
        """(S, B) hinge loss of foregrounds, which should say 1, and of the worst of the others, which should say -1.

        What stands in the place of an incomplete proposal counts as one.
        """
        settings = self.settings
        kept = max(int(settings.incompletes * settings.hard_share), 1)
        said = _of_label(outputs.judged.completeness.float(), examples.labels)
        positive = F.relu(1 - said) * (examples.places == FOREGROUND)
        negative = F.relu(1 + said) * (examples.places == INCOMPLETE)
        worst = negative.topk(min(kept, negative.shape[-1])).values
        return (positive.sum(-1) + worst.sum(-1)) / (settings.foregrounds + kept)


def batched(truth: GroundTruth) -> Batched:
    """What was drawn of a batch."""
    assert isinstance(truth, DrawnTruth)
    return Batched.of(truth.examples)


def activity_loss(outputs: Outputs, examples: Batched) -> Tensor:
    """(S, B) mean cross-entropy of the classes of foregrounds, and of the background."""
    logits = outputs.judged.activity.float()
    labels = examples.labels.expand(logits.shape[:-1])
    losses = F.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="none").view_as(labels)
    return _mean(losses, (examples.kinds == FOREGROUND) | (examples.kinds == BACKGROUND))


def refinement_loss(outputs: Outputs, examples: Batched) -> Tensor:
    """(S, B) mean smooth L1 loss of the standardised shifts of foregrounds, for their class."""
    said = _of_label(outputs.judged.shifts.float().transpose(-1, -2), examples.labels[..., None])
    mean, deviation = (one[:, None, None] for one in (outputs.mean, outputs.deviation))
    wanted = (examples.shifts - mean) / deviation
    losses = F.smooth_l1_loss(said, wanted, reduction="none").mean(-1)
    return _mean(losses, examples.kinds == FOREGROUND)


def _of_label(said: Tensor, labels: Tensor) -> Tensor:
    """Of what is said of every class (S, ..., K) that of the labels (...), 1 for the first class."""
    place = (labels - 1).clamp(min=0).expand(said.shape[:-1])
    return said.gather(-1, place[..., None]).squeeze(-1)


def _mean(losses: Tensor, counted: Tensor) -> Tensor:
    """(S, B) mean over those of losses (S, B, M) that count, 0 where none does."""
    return (losses * counted).sum(-1) / counted.sum(-1).clamp(min=1)
