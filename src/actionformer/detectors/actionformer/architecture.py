"""ActionFormer as a detector (Zhang, Wu & Li, ECCV 2022)."""

from __future__ import annotations

from actionformer.detectors.actionformer.network import build_network
from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.detectors.pyramid import PyramidArchitecture
from actionformer.nn.attention_maps import AttentionMaps
from actionformer.nn.network import Network
from actionformer.nn.pyramid_network import PyramidNetwork


class ActionFormer(PyramidArchitecture):
    """Local attention on every level, in chunks of any length where attention and positions are local too."""

    @property
    def settings(self) -> ActionFormerSettings:
        """Of the network."""
        assert isinstance(self.config.model, ActionFormerSettings)
        return self.config.model

    def member(self) -> PyramidNetwork:
        """A network with fresh weights, drawn from torch's global generator."""
        return build_network(self.settings)

    def sees_padding(self, padded: int) -> bool:
        """Interpolated positions depend on the whole length."""
        return self.settings.position != "none" and padded > self.settings.max_length

    def attention(self, network: Network) -> AttentionMaps | None:
        """What each block's moments attend to; convolutions and pooling have no such thing, and ensembles no one."""
        if self.settings.members > 1:
            return None
        assert isinstance(network, PyramidNetwork)
        return AttentionMaps(network) if self.settings.block == "transformer" else None
