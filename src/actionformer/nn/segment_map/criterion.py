"""The loss of a map (BMN, Lin et al., ICCV 2019, section 4.3): boundaries, overlap and classes of segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.nn.assignment import GroundTruth
from actionformer.nn.criterion import Memoryless
from actionformer.nn.segment_map.cells import Cells
from actionformer.nn.segment_map.outputs import MapOutputs
from actionformer.nn.segment_map.rules import Rules
from actionformer.nn.segment_map.targets import Targets, targets_of

HIGH, LOW = 0.7, 0.3
"""tIoU above which a segment overlaps an action much, and up to which little."""
KINDS = (("start", "steps"), ("end", "steps"), ("classes", "counts"))
"""Targets that are yes or no, and those that say where they count."""


class Weights(NamedTuple):
    """What examples count, (K,) each or a scalar."""

    positive: Tensor
    other: Tensor
    """Of negative ones that are positive for another class."""
    negative: Tensor
    """Of all other negative ones."""


class MapCriterion(Memoryless):
    """The loss of one step, whose balance is over all of its batches.

    Args:
        cells: of the map.
        rules: how it is taught.
        length: T.
        num_classes: K.
        shift: steps from where a step begins to its feature, which positions in grid steps count from.
        draw: uniform numbers of a shape, which choose among segments that overlap actions less than much.
    """

    def __init__(
        self,
        cells: Cells,
        rules: Rules,
        *,
        length: int,
        num_classes: int,
        shift: float,
        draw: Callable[[tuple[int, ...]], Tensor] = torch.rand,
    ) -> None:
        self.cells, self.rules = cells, rules
        self.length, self.num_classes, self.shift = length, num_classes, shift
        self.draw = draw

    def losses(
        self, truths: Sequence[GroundTruth], device: torch.device
    ) -> list[Callable[[MapOutputs], Mapping[str, Tensor]]]:
        """For each batch of one step a function from outputs to the parts of its loss."""
        targets = [self.targets(truth) for truth in truths]
        drawn = self.drawn(targets)
        total = float(sum(one.sum() for one in drawn)) or 1.0
        weights = [Weights(*(one.to(device) for one in self._balanced(targets, *kind))) for kind in KINDS]
        return [
            partial(self._parts, target.to(device), number.to(device), total, weights)
            for target, number in zip(targets, drawn, strict=True)
        ]

    def targets(self, truth: GroundTruth) -> Targets:
        """What the network should say about a batch."""
        return targets_of(
            [segments + self.shift for segments in truth.segments],
            truth.labels,
            truth.lengths,
            self.cells,
            self.rules,
            length=self.length,
            num_classes=self.num_classes,
        )

    def drawn(self, targets: Sequence[Targets]) -> list[Tensor]:
        """(B, M) of each batch how often each place of the map counts in the loss of the overlap.

        All segments that overlap an action much count, and about as many of those that do so less, and little. Where
        none does much, all count.
        """
        kinds = [self._kinds(one) for one in targets]
        many, middle, few = (int(sum(one[kind].sum() for one in kinds)) for kind in range(3))
        if many == 0 and self.rules.empty_is_low:
            return [one.counts.float() for one in targets]
        numbers = [high.float() for high, *_ in kinds]
        for kind, count in enumerate((middle, few), start=1):  # kind by kind: parts of a batch draw what it draws
            for number, of_target, target in zip(numbers, kinds, targets, strict=True):
                number += self._chosen(of_target[kind], many / max(count, 1), target)
        return numbers

    def _kinds(self, targets: Targets) -> tuple[Tensor, Tensor, Tensor]:
        """(B, M) the segments that overlap an action much, less, and little."""
        overlap, counts = targets.overlap, targets.counts
        little = counts & (overlap <= LOW)
        return overlap > HIGH, (overlap > LOW) & (overlap <= HIGH), little & (self.rules.empty_is_low | (overlap > 0))

    def _chosen(self, kind: Tensor, share: float, targets: Targets) -> Tensor:
        """(B, M) a share of the places of a kind; published, above 1 all places."""
        uniform = self.draw(tuple(kind.shape))
        if not self.rules.published:
            return kind & (uniform > 1 - share)
        chosen = uniform * kind > 1 - share
        return chosen if self.rules.draws_anywhere else chosen & targets.counts

    def _balanced(self, targets: Sequence[Targets], positive: str, counted: str) -> Weights:
        """Half of a loss is the mean of positive ones, half that of negative ones, of it half that of other actions.

        Without other actions, as with a single class, this is the published balance. A class has thousands of segments
        that are none at all for each of another class, which would teach next to nothing. The mean is over actions, of
        which a long one has many segments. What has no positive one in a step teaches nothing there.
        """
        numbers = [_counts(one, positive, counted) for one in targets]
        yes, other, no = (torch.stack(kind).sum(0) for kind in zip(*numbers, strict=True))
        if counted == "counts":
            yes, no = yes + self.rules.extra_examples, no + self.rules.extra_examples
        beside = torch.where(other > 0, 0.25, 0.5)
        weights = Weights(*((yes > 0) * one for one in (0.5 / yes, 0.25 / other, beside / no)))
        if self.rules.published:  # without any of one side, the plain mean of the other
            weights = Weights(*(torch.where(yes * no == 0, 1 / (yes + other + no), one) for one in weights))
        return Weights(*(one.nan_to_num(0, 0) for one in weights))

    def _parts(
        self, targets: Targets, number: Tensor, total: float, weights: Sequence[Weights], outputs: MapOutputs
    ) -> dict[str, Tensor]:
        start, end, classes = weights
        present = (classes.positive > 0).sum().clamp(min=1)
        counted = (targets.counts * targets.weights)[..., None]
        of_classes = self._cross_entropy(outputs.classes.flatten(1, 2), targets.classes, counted, classes)
        return {
            "boundaries": self._cross_entropy(outputs.start, targets.start, targets.steps, start)
            + self._cross_entropy(outputs.end, targets.end, targets.steps, end),
            "overlap": self.rules.overlap_weight
            * self._squares(outputs.overlap.flatten(1), targets.overlap, number)
            / total,
            "classes": self.rules.class_weight * of_classes / present,
        }

    def _cross_entropy(self, logits: Tensor, positive: Tensor, counted: Tensor, weights: Weights) -> Tensor:
        """The sum over all that counts, weighted."""
        logits = logits.float()
        if self.rules.log_offset:
            probability = logits.sigmoid()
            losses = -(torch.where(positive, probability, 1 - probability) + self.rules.log_offset).log()
        else:
            losses = F.binary_cross_entropy_with_logits(logits, positive.float(), reduction="none")
        weight = torch.where(positive, weights.positive, weights.negative)
        if positive.ndim > 2:
            weight = torch.where(_of_others(positive), weights.other, weight)
        return (losses * counted * weight).sum()

    def _squares(self, logits: Tensor, overlap: Tensor, number: Tensor) -> Tensor:
        """The sum over all that was drawn."""
        errors = (logits.float().sigmoid() - overlap).square()
        return (errors * (number.square() if self.rules.squared else number)).sum()


def _counts(targets: Targets, positive: str, counted: str) -> tuple[Tensor, Tensor, Tensor]:
    """What all positive examples count, those of other classes, and all others: (K,) each, or scalars."""
    yes, places = getattr(targets, positive), getattr(targets, counted)
    if yes.ndim == 2:
        return yes.sum(), torch.tensor(0), (places & ~yes).sum()
    weights, none = targets.weights[..., None], places[..., None] & ~yes.any(-1, keepdim=True)
    own, other, rest = ((one * weights).flatten(0, 1).sum(0) for one in (yes, _of_others(yes), none.expand_as(yes)))
    return own, other, rest


def _of_others(classes: Tensor) -> Tensor:
    """(B, M, K) bool which places are no action of a class, but one of another."""
    return ~classes & classes.any(-1, keepdim=True)
