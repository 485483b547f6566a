"""G-TAD as a detector (Xu et al., CVPR 2020)."""

from __future__ import annotations

from actionformer.detectors.gtad.network import GTADNetwork, build_network
from actionformer.detectors.gtad.rules import rules_of
from actionformer.detectors.gtad.settings import GTADSettings
from actionformer.detectors.segment_map import SegmentMapArchitecture
from actionformer.nn.segment_map.rules import Rules


class GTAD(SegmentMapArchitecture):
    """Segments by a graph over features and what is aligned with them."""

    @property
    def settings(self) -> GTADSettings:
        """Of the network."""
        assert isinstance(self.config.model, GTADSettings)
        return self.config.model

    @property
    def rules(self) -> Rules:
        """How the map is laid out, sampled, taught and read."""
        return rules_of(self.settings)

    def network(self) -> GTADNetwork:
        """The network with fresh weights, drawn from torch's global generator."""
        return build_network(self.settings, self.length)
