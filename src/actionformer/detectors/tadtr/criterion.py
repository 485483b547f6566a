"""The loss of TadTR: which query answers for which action, and what is asked of it (Liu et al., TIP 2022)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from actionformer.detectors.tadtr.network import Outputs
from actionformer.detectors.tadtr.settings import TadTRSettings
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.criterion import Memoryless
from actionformer.nn.losses import focal_losses

CLASS_COST, SEGMENT_COST, IOU_COST = 6.0, 5.0, 2.0
"""What decides who answers: the focal loss of the class, the L1 distance of the segment, its IoU."""
ALPHA, GAMMA, TINY = 0.25, 2.0, 1e-8


@dataclass(frozen=True)
class Actions:
    """The actions of a batch of B sequences, padded to the most that one has, N."""

    segments: Tensor
    """(B, N, 2) centres and widths, as shares of the sequence."""
    labels: Tensor
    """(B, N)"""
    there: Tensor
    """(B, N) bool, False at padding."""

    @classmethod
    def of(cls, truth: GroundTruth, *, exact: bool) -> Actions:
        """Those of a ground truth; shares are of the sequence, or else of what it is padded to."""
        spans = truth.lengths if exact else [truth.padded_length] * len(truth.lengths)
        most = max(map(len, truth.labels), default=0)
        segments, labels = torch.zeros(len(spans), most, 2), torch.zeros(len(spans), most, dtype=torch.int64)
        for row, (own, span) in enumerate(zip(truth.segments, spans, strict=True)):
            start, end = ((own + 0.5) / span).unbind(1)
            segments[row, : len(own)] = torch.stack(((start + end) / 2, end - start), dim=1)
            labels[row, : len(own)] = truth.labels[row]
        there = torch.arange(most) < torch.tensor([len(own) for own in truth.labels])[:, None]
        return cls(segments, labels, there)

    def to(self, device: torch.device) -> Actions:
        """The same where the network is."""
        return Actions(self.segments.to(device), self.labels.to(device), self.there.to(device))


class Pairs(NamedTuple):
    """P pairs of a query and the action that it answers for, of all layers and sequences: indices (P,) of each."""

    layer: Tensor
    sequence: Tensor
    query: Tensor
    action: Tensor


class LayerLosses(NamedTuple):
    """Of each of the L layers, before weights: sums over what the step divides them by."""

    classification: Tensor
    segment: Tensor
    iou: Tensor


class TadTRCriterion(Memoryless):
    """Set prediction: every action has one query that learns it, all other queries learn that nothing is there."""

    def __init__(self, settings: TadTRSettings) -> None:
        self.settings = settings

    def losses(
        self, truths: Sequence[GroundTruth], device: torch.device
    ) -> list[Callable[[Outputs], Mapping[str, Tensor]]]:
        """For each batch of one step a function from outputs to the parts of its loss.

        Losses of classes and segments are divided by the actions of the step, those of actionness by its queries.
        """
        exact = self.settings.mask_padding == "exact"
        actions = max(sum(len(labels) for truth in truths for labels in truth.labels), 1)
        queries = self.settings.num_queries * sum(len(truth.lengths) for truth in truths)
        every = [Actions.of(truth, exact=exact).to(device) for truth in truths]
        return [partial(self.parts, one, actions, queries) for one in every]

    def parts(self, truth: Actions, actions: int, queries: int, outputs: Outputs) -> dict[str, Tensor]:
        """The named parts of the loss of a batch, over the actions and the queries of its step."""
        layers = layer_losses(outputs, truth, pairs_of(outputs, truth), actions)
        settings = self.settings
        return {
            "classification": settings.class_weight * layers.classification.sum(),
            "segment": settings.segment_weight * layers.segment.sum(),
            "iou": settings.iou_weight * layers.iou.sum(),
            "actionness": settings.actionness_weight * self.actionness_loss(outputs, truth, queries),
        }

    def actionness_loss(self, outputs: Outputs, truth: Actions, queries: int) -> Tensor:
        """How far each query's actionness is from the best IoU of its segment with an action; the sum / `queries`."""
        segments = outputs.segments[-1].detach()
        wanted = torch.zeros_like(segments[..., 0])
        if truth.there.any():
            own = truth.segments, truth.there
            if self.settings.actionness_target == "batch":
                own = truth.segments.flatten(0, 1)[None], truth.there.flatten()[None]
            wanted = iou(segments[:, :, None], own[0][:, None]).mul(own[1][:, None]).amax(-1)
        return (outputs.actionness.float() - wanted).abs().sum() / queries


def layer_losses(outputs: Outputs, truth: Actions, pairs: Pairs, actions: int) -> LayerLosses:
    """The losses of every layer over a number of actions: focal loss of all queries, segments of those in a pair."""
    target = torch.zeros_like(outputs.logits, dtype=torch.float32)
    labels = truth.labels[pairs.sequence, pairs.action]
    target[pairs.layer, pairs.sequence, pairs.query, labels] = 1
    classification = focal_losses(outputs.logits.float(), target, ALPHA, GAMMA).sum((1, 2, 3))
    predicted = outputs.segments[pairs.layer, pairs.sequence, pairs.query]
    wanted = truth.segments[pairs.sequence, pairs.action]
    zeros = predicted.new_zeros(len(outputs.logits))
    segment = zeros.index_add(0, pairs.layer, (predicted - wanted).abs().sum(-1))
    missed = zeros.index_add(0, pairs.layer, 1 - iou(predicted, wanted))
    return LayerLosses(classification / actions, segment / actions, missed / actions)


@torch.no_grad()
def pairs_of(outputs: Outputs, truth: Actions) -> Pairs:
    """The pairs of query and action that cost least together, of every layer and sequence for itself.

    Of more actions than queries only as many are learned.
    """
    cost = costs(outputs, truth).nan_to_num().cpu().double().numpy()
    counts = truth.there.sum(1).tolist()
    found: list[tuple[int, int, int, int]] = []
    for layer in range(cost.shape[0]):
        for sequence, count in enumerate(counts):
            pairs = linear_sum_assignment(cost[layer, sequence, :, :count])
            found += [(layer, sequence, int(query), int(action)) for query, action in zip(*pairs, strict=True)]
    indices = torch.tensor(found, dtype=torch.int64, device=truth.labels.device).view(-1, 4)
    return Pairs(*indices.unbind(1))


def costs(outputs: Outputs, truth: Actions) -> Tensor:
    """(L, B, Q, N) what it costs that a query answers for an action."""
    probability = outputs.logits.float().sigmoid()
    negative = (1 - ALPHA) * probability**GAMMA * -(1 - probability + TINY).log()
    positive = ALPHA * (1 - probability) ** GAMMA * -(probability + TINY).log()
    labels = truth.labels[None, :, None].expand(*probability.shape[:3], -1)
    predicted, wanted = outputs.segments[..., None, :], truth.segments[:, None]
    distance = (predicted - wanted).abs().sum(-1)
    overlap = iou(predicted, wanted)
    return CLASS_COST * (positive - negative).gather(-1, labels) + SEGMENT_COST * distance - IOU_COST * overlap


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of segments (..., 2), centres and widths; 0 where the union is empty."""
    half_first, half_second = first[..., 1] / 2, second[..., 1] / 2
    start = torch.maximum(first[..., 0] - half_first, second[..., 0] - half_second)
    end = torch.minimum(first[..., 0] + half_first, second[..., 0] + half_second)
    shared = (end - start).clamp(min=0)
    return shared / (first[..., 1] + second[..., 1] - shared).clamp(min=TINY)
