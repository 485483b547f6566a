"""TemporalMaxer as a detector (Tang, Kim & Sohn, arXiv 2303.09055)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from actionformer.detectors.base import Part
from actionformer.detectors.pyramid import PyramidArchitecture, PyramidCriterion
from actionformer.detectors.temporalmaxer.criterion import CheapestOffsets
from actionformer.detectors.temporalmaxer.network import build_network
from actionformer.detectors.temporalmaxer.settings import TemporalMaxerSettings
from actionformer.nn.network import Network
from actionformer.nn.outputs import LevelOutputs
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.nn.two_passes import with_known_statistics


class TemporalMaxer(PyramidArchitecture):
    """Max pooling on every level: the lightest detector, in chunks of any length, streams with layernorm."""

    @property
    def settings(self) -> TemporalMaxerSettings:
        """Of the network."""
        assert isinstance(self.config.model, TemporalMaxerSettings)
        return self.config.model

    def member(self) -> PyramidNetwork:
        """A network with fresh weights, drawn from torch's global generator."""
        return build_network(self.settings)

    def criterion(self) -> PyramidCriterion:
        """That of every pyramid, or with the published choice of the offsets' target."""
        return CheapestOffsets(self.config) if self.settings.offset_target == "cheapest" else super().criterion()

    def divisor(self) -> int:
        """The coarsest stride."""
        return self.settings.strides[-1]

    def sees_padding(self, padded: int) -> bool:
        """GroupNorm counts it in."""
        return self.settings.normalises_sequences

    def long_outputs(self, network: Network, read: Callable[[], Iterable[Part]]) -> Iterator[LevelOutputs] | None:
        """The same outputs as in one pass; with groupnorm the sequence is read twice, first for its statistics."""
        if self.settings.normalises_sequences and isinstance(network, PyramidNetwork):
            network = with_known_statistics(network, read())
        return super().long_outputs(network, read)

    def average_updates(self) -> dict[str, int]:
        """The shared norm moves once per level: published code lists it under every level's name."""
        settings = self.settings
        if settings.mask_padding != "published" or not settings.neck_norm or settings.level_norm != "layernorm":
            return {}
        return {f"neck.norms.0.{name}": settings.num_levels for name in ("weight", "bias")}
