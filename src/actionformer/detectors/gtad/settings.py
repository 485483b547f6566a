"""Settings of G-TAD's network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from actionformer.nn.segment_map.settings import SegmentMapSettings
from actionformer.settings.model import WIDEST, listed

MAP_LAYERS = 2
"""Convolutions of the map, after the one that makes vectors narrow."""


class GTADSettings(SegmentMapSettings):
    """G-TAD's network. Widths are channels."""

    PUBLISHED: ClassVar[Mapping[str, Any]] = {"convention": "opentad"}

    detector: Literal["gtad"] = "gtad"
    """Which detector."""
    width: int = Field(256, ge=1, le=WIDEST)
    """Channels of the features that starts, ends and the map are made of."""
    groups: int = Field(4, ge=1, le=1024)
    """Groups of channels in the first convolution; or the most that also divide the channels."""
    num_neighbors: int = Field(3, ge=1, le=64)
    """Features of a sequence that each looks at for their likeness, itself among them."""
    graph_width: int | None = Field(None, ge=1, le=WIDEST)
    """Channels inside the blocks of the graph; if unset, half of width."""
    graph_groups: int = Field(32, ge=1, le=1024)
    """Groups of channels inside these blocks; or the most that also divide the channels."""
    bins: int = Field(16, ge=1, le=256)
    """Bins that a segment and half its length on either side are seen in."""
    neighbor_bins: int = Field(16, ge=1, le=256)
    """Bins of the same, of the mean of each feature's neighbours."""
    sampled_width: int | None = Field(None, ge=1, le=WIDEST)
    """Channels of a segment's bins together; if unset, twice width."""
    map_width: int | None = Field(None, ge=1, le=WIDEST)
    """Channels of the map; if unset, half of width."""
    map_kernel: Literal[1, 3] = 3
    """Kernel of the convolutions of the map; with 1 a segment does not see those beside it."""
    convention: Literal["exact", "opentad", "thumos14", "activitynet"] = "exact"
    """`exact`: what is meant; `opentad`, `thumos14`, `activitynet`: slips of OpenTAD's and the authors' checkpoints."""

    @model_validator(mode="after")
    def _consistent(self) -> GTADSettings:
        self._check_input()
        self._check_size()
        self._check_duration()
        return self

    @property
    def widths(self) -> tuple[int, int, int]:
        """Channels inside the graph, of a segment's bins together, and of the map."""
        half = max(self.width // 2, 1)
        return self.graph_width or half, self.sampled_width or 2 * self.width, self.map_width or half

    @property
    def narrows_first(self) -> bool:
        """Whether vectors become narrow one by one; OpenTAD's first convolution of the map does it."""
        return self.convention != "opentad"

    @property
    def rough_size(self) -> float:
        """Weights of the network, nearly; what the data have yet to tell is left out."""
        graph, sampled, on_map = self.widths
        blocks = 4 * graph * (5 * self.width + 4 * graph / self.graph_groups)
        base = 3 * self.width * sum(listed(self.input_dim)) / self.groups
        vectors = sampled * (self.width * (self.bins + self.neighbor_bins))
        narrow = sampled * on_map * (1 if self.narrows_first else self.map_kernel**2)
        maps = MAP_LAYERS * self.map_kernel**2 * on_map**2
        return base + blocks + vectors + narrow + maps + on_map * ((self.num_classes or 0) + 1)

    @property
    def layer_inputs(self) -> int:
        """Inputs of a convolution of the map."""
        return self.map_kernel**2 * self.widths[2]
