"""Settings of BMN's network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from actionformer.nn.segment_map.settings import SegmentMapSettings
from actionformer.settings.model import WIDEST, listed

MAP_LAYERS = 2
"""Convolutions of the map that see its neighbouring segments."""


class BMNSettings(SegmentMapSettings):
    """BMN's network. Widths are channels."""

    PUBLISHED: ClassVar[Mapping[str, Any]] = {"convention": "opentad"}

    detector: Literal["bmn"] = "bmn"
    """Which detector."""
    width: int = Field(256, ge=1, le=WIDEST)
    """Channels of the features that starts, ends and the map are made of."""
    groups: int = Field(4, ge=1, le=1024)
    """Groups of channels in the convolutions before the map; or the most that also divide the channels."""
    reduced_width: int | None = Field(None, ge=1, le=WIDEST)
    """Channels that are sampled for the map; if unset, half of width."""
    sampled_width: int | None = Field(None, ge=1, le=WIDEST)
    """Channels of a segment's samples together; if unset, twice width."""
    map_width: int | None = Field(None, ge=1, le=WIDEST)
    """Channels of the map; if unset, half of width."""
    bins: int = Field(32, ge=2, le=256)
    """Samples of every segment and of half its length on either side."""
    samples_per_bin: int = Field(3, ge=1, le=32)
    """Positions that a sample is the mean of."""
    convention: Literal["exact", "opentad", "jjboy"] = "exact"
    """`exact`: what is meant; `opentad`, `jjboy`: layout, targets and slips of these implementations' checkpoints."""

    @model_validator(mode="after")
    def _consistent(self) -> BMNSettings:
        self._check_input()
        self._check_size()
        if self.convention == "jjboy" and self.max_duration not in (None, self.max_length):
            raise ValueError("a map of jjboy has all lengths: leave max_duration unset")
        self._check_duration()
        return self

    @property
    def widths(self) -> tuple[int, int, int]:
        """Channels that are sampled, of a segment's samples together, and of the map."""
        half = max(self.width // 2, 1)
        return self.reduced_width or half, self.sampled_width or 2 * self.width, self.map_width or half

    @property
    def rough_size(self) -> float:
        """Weights of the network, nearly; what the data have yet to tell is left out."""
        reduced, sampled, on_map = self.widths
        base = 3 * self.width * (sum(listed(self.input_dim)) + 3 * self.width) / self.groups
        maps = reduced * (3 * self.width + self.bins * sampled) + sampled * on_map + MAP_LAYERS * 9 * on_map**2
        return base + maps + on_map * ((self.num_classes or 0) + 1)

    @property
    def layer_inputs(self) -> int:
        """Inputs of a convolution of the map."""
        return 9 * self.widths[2]
