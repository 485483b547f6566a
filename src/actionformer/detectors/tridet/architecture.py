"""TriDet as a detector (Shi et al., CVPR 2023)."""

from __future__ import annotations

from actionformer.detectors.pyramid import PyramidArchitecture
from actionformer.detectors.tridet.network import build_network
from actionformer.detectors.tridet.settings import TriDetSettings
from actionformer.nn.pyramid_network import PyramidNetwork


class TriDet(PyramidArchitecture):
    """SGP blocks on every level; each sees the sequence as a whole, so it runs in one pass, whatever its length."""

    @property
    def settings(self) -> TriDetSettings:
        """Of the network."""
        assert isinstance(self.config.model, TriDetSettings)
        return self.config.model

    def member(self) -> PyramidNetwork:
        """A network with fresh weights, drawn from torch's global generator."""
        return build_network(self.settings)

    def divisor(self) -> int:
        """What published padding makes the length of a sequence over `max_length` a multiple of."""
        return self.settings.strides[-1] * self.settings.window

    def sees_padding(self, padded: int) -> bool:
        """The blocks' mean and norm count padding in."""
        return True
