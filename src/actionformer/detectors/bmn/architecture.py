"""BMN as a detector (Lin et al., ICCV 2019)."""

from __future__ import annotations

from torch import nn

from actionformer.detectors.bmn.network import BMNNetwork, build_network
from actionformer.detectors.bmn.rules import rules_of
from actionformer.detectors.bmn.settings import BMNSettings
from actionformer.detectors.segment_map import SegmentMapArchitecture
from actionformer.nn.segment_map.rules import Rules
from actionformer.nn.weight_rules import WeightRule

BASE_DECAY = 10.0
"""What the weight decay of the first convolutions is multiplied by, as OpenTAD's implementation does."""


class BMN(SegmentMapArchitecture):
    """Segments by samples of them and their surroundings."""

    @property
    def settings(self) -> BMNSettings:
        """Of the network."""
        assert isinstance(self.config.model, BMNSettings)
        return self.config.model

    @property
    def rules(self) -> Rules:
        """How the map is laid out, sampled, taught and read."""
        return rules_of(self.settings)

    def network(self) -> BMNNetwork:
        """The network with fresh weights, drawn from torch's global generator."""
        return build_network(self.settings, self.length)

    def weight_rule(self, name: str, weight: nn.Parameter) -> WeightRule:
        """As published: all weights decay, with opentad the first convolutions ten times as much."""
        rule = super().weight_rule(name, weight)
        first = name.startswith("base.") and self.settings.convention == "opentad"
        return rule._replace(decay_factor=BASE_DECAY) if first else rule
