"""MUSES as a detector (Liu et al., Multi-shot Temporal Event Localization: a Benchmark, CVPR 2021)."""

from __future__ import annotations

import torch
from torch import nn

from actionformer.core.errors import warn
from actionformer.detectors.base import CERTAIN, Architecture
from actionformer.detectors.muses.criterion import MUSESCriterion
from actionformer.detectors.muses.decoding import Decoder
from actionformer.detectors.muses.drawing import (
    DrawnTruth,
    examples_of,
    foreground_shifts,
    frame_of,
    matched,
    shifts_to,
)
from actionformer.detectors.muses.network import Judged, MUSESNetwork, Outputs, together
from actionformer.detectors.muses.settings import MUSESSettings
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.network import Network
from actionformer.nn.weight_rules import WeightRule
from actionformer.settings.config import Config

FAST = 2.0
"""What the learning rate is multiplied by for biases, as published."""
LEAST_DEVIATION = 1e-3
"""Of shifts, where proposals are as exact as the actions."""


class MUSES(Architecture):
    """A second stage: proposals get classes, and are moved to where their action begins and ends."""

    second_stage = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        assert isinstance(config.model, MUSESSettings)
        self.settings = config.model

    def network(self) -> MUSESNetwork:
        """The network with fresh weights, drawn from torch's global generator."""
        return MUSESNetwork(self.settings)

    def criterion(self) -> MUSESCriterion:
        """Cross-entropy of classes, hinge loss of completeness, smooth L1 of shifts."""
        return MUSESCriterion(self.settings)

    def decoder(self) -> Decoder:
        """Every proposal is one of each class."""
        return Decoder(self.config.decoding, self.settings.stream_weights, self.candidate_span)

    def drawn(self, truth: GroundTruth) -> DrawnTruth:
        """Of each sequence a few proposals that fit an action, that show a part of one, and that show none."""
        examples = [
            examples_of(proposals, actions, labels, self.steps(length), self.settings)
            for proposals, actions, labels, length in zip(
                truth.proposals, truth.segments, truth.labels, truth.lengths, strict=True
            )
        ]
        return DrawnTruth(
            truth.segments,
            truth.labels,
            truth.lengths,
            truth.padded_length,
            proposals=[one.proposals for one in examples],
            examples=examples,
        )

    def keep_statistics(self, network: Network, truth: GroundTruth) -> None:
        """Mean and deviation of how actions lie beside the proposals that fit them."""
        assert isinstance(network, MUSESNetwork)
        pairs = zip(truth.proposals, truth.segments, strict=True)
        shifts = torch.cat([foreground_shifts(*pair, self.settings) for pair in pairs])
        if len(shifts):
            network.standardise(shifts.mean(0), shifts.std(0, correction=0).clamp(min=LEAST_DEVIATION))
            return
        warn(
            f"no proposal has a tIoU above {self.settings.foreground_tiou:g} with an action: classes are learned from "
            "actions alone, and nothing is moved; give other proposals, or lower model.foreground_tiou"
        )

    def steps(self, length: int) -> float:
        """The length of a sequence of `length` features in grid steps; as published, its last clip is two long."""
        return length if self.settings.whole_frames is None else length + 1

    def weight_rule(self, name: str, weight: nn.Parameter) -> WeightRule:
        """As published, biases do not decay, and learn at twice the rate."""
        bias = name.rpartition(".")[2] == "bias"
        return WeightRule(decay_factor=float(not bias), rate_factor=FAST if bias else 1.0)

    def computed_length(self, length: int) -> int:
        """That of the sequence, as padding changes nothing."""
        return length

    def perfect(self, truth: GroundTruth) -> Outputs | None:
        """Certain of the class of every proposal that fits an action, and of the background elsewhere.

        None without proposals.
        """
        if not truth.proposals:
            return None
        proposals, there = together(truth.proposals)
        classes = self.settings.num_classes or 0
        activity = torch.full((1, *there.shape, 1 + classes), -CERTAIN)
        shifts = torch.zeros(1, *there.shape, classes, 2)
        for row, (own, actions, labels) in enumerate(zip(truth.proposals, truth.segments, truth.labels, strict=True)):
            found = matched(own, actions)
            fit = (found.tiou > self.settings.foreground_tiou).nonzero()[:, 0]
            label = torch.zeros(there.shape[1], dtype=torch.int64)
            label[fit] = 1 + labels[found.action[fit]]
            activity[0, row].scatter_(1, label[:, None], CERTAIN)
            moved = shifts_to(actions[found.action[fit]], own[fit], frame_of(self.settings))
            shifts[0, row, fit] = moved[:, None].float()
        said = Judged(activity, torch.zeros_like(activity[..., 1:]), shifts)
        return Outputs(said, torch.zeros(1, 2), torch.ones(1, 2), proposals, there)
