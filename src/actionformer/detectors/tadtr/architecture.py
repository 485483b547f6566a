"""TadTR as a detector (Liu et al., End-to-end Temporal Action Detection with Transformer, TIP 2022)."""

from __future__ import annotations

import torch
from torch import nn

from actionformer.detectors.base import CERTAIN, Architecture
from actionformer.detectors.tadtr.criterion import Actions, TadTRCriterion
from actionformer.detectors.tadtr.decoding import Decoder
from actionformer.detectors.tadtr.network import Outputs, TadTRNetwork
from actionformer.detectors.tadtr.sampling import SamplingMaps
from actionformer.detectors.tadtr.settings import TadTRSettings
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.network import Network
from actionformer.nn.weight_rules import WeightRule
from actionformer.settings.config import Config

SLOW = 0.1
"""What the learning rate is multiplied by for the weights that say where to look."""


class TadTR(Architecture):
    """A fixed number of queries finds the actions of a sequence, each at most one, so that none is found twice."""

    one_length = True
    one_by_one = True
    windows_together = 16

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        assert isinstance(config.model, TadTRSettings)
        self.settings = config.model

    def network(self) -> TadTRNetwork:
        """The network with fresh weights, drawn from torch's global generator."""
        return TadTRNetwork(self.settings)

    def criterion(self) -> TadTRCriterion:
        """Focal loss of classes, L1 and IoU of the segments of matched queries, L1 of actionness."""
        return TadTRCriterion(self.settings)

    def undivided(self) -> str | None:
        """Actionness, where it learns from all actions of a batch."""
        whole = self.settings.actionness_target == "batch"
        return "model.actionness_target is batch, and needs whole batches" if whole else None

    def decoder(self) -> Decoder:
        """Every query proposes its segment for each class."""
        return Decoder(self.config.decoding)

    def weight_rule(self, name: str, weight: nn.Parameter) -> WeightRule:
        """All weights decay, biases and norms too; those that say where to look learn slowly."""
        where = ".offsets." in name or name.startswith("first_point.")
        return WeightRule(rate_factor=SLOW if where else 1.0)

    def computed_length(self, length: int) -> int:
        """That of the sequence, as padding changes nothing; as published that of the window."""
        return length if self.settings.mask_padding == "exact" else super().computed_length(length)

    @property
    def most_actions(self) -> int:
        """As many as there are queries."""
        return self.settings.num_queries

    def sampling(self, network: Network) -> SamplingMaps:
        """The places of every layer's attention."""
        assert isinstance(network, TadTRNetwork)
        return SamplingMaps(network)

    def perfect(self, truth: GroundTruth) -> Outputs:
        """A query for every action, as far as there are queries; the others say that nothing is there."""
        exact = self.settings.mask_padding == "exact"
        actions = Actions.of(truth, exact=exact)
        sequences, queries = len(truth.labels), self.settings.num_queries
        logits = torch.full((1, sequences, queries, self.settings.num_classes or 0), -CERTAIN)
        segments = torch.zeros(1, sequences, queries, 2)
        row, action = actions.there[:, :queries].nonzero().unbind(1)
        logits[0, row, action, actions.labels[row, action]] = CERTAIN
        segments[0, row, action] = actions.segments[row, action]
        spans = torch.tensor(truth.lengths if exact else [truth.padded_length] * sequences).float()
        return Outputs(logits, segments, torch.ones(sequences, queries), spans)
