"""Settings of AFSD's network and of what it learns."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from actionformer.core.words import plural
from actionformer.settings.model import WIDEST, ModelSettings, listed

GROUPS = 32
"""Of every GroupNorm."""


class AFSDSettings(ModelSettings):
    """AFSD's network, and what its losses weigh. Widths are channels."""

    PUBLISHED: ClassVar[Mapping[str, Any]] = {"mask_padding": "published"}
    USUAL: ClassVar[Mapping[str, Mapping[str, Any]]] = {"training": {"weight_decay": 1e-3}}

    detector: Literal["afsd"] = "afsd"
    """Which detector."""
    width: int = Field(512, ge=GROUPS, le=WIDEST)
    """Channels of the pyramid, of the frame feature and of all heads."""
    levels: int = Field(6, ge=1, le=16)
    """Levels of the pyramid; each has half of the moments of the one before."""
    frames_per_feature: int = Field(4, ge=1, le=64)
    """Moments of the frame feature for each feature: boundaries are looked for in these frames."""
    distance_unit: Literal["frame", "level"] = "level"
    """Unit of distances: a `frame` of the frame feature on every level, or half of the stride of their `level`."""
    level_bounds: tuple[tuple[float, float], ...] | None = None
    """Distances to the further end of an action that each level learns, in features; if unset, each learns all."""
    mask_padding: Literal["exact", "published"] = "exact"
    """`exact`: padding never changes a result; `published`: it counts in norms and losses, and moments lie as there."""
    location_weight: float = Field(1.0, ge=0, le=1e6)
    """Weight of the losses of segments, coarse and refined."""
    center_moves: bool = False
    """Let the loss of how well segments fit move them too, as published: it makes worse what it expects to be bad."""
    refined_loss: Literal["l1", "smooth_l1"] = "l1"
    """Loss of how a coarse segment has to be moved."""
    refined_tiou: float = Field(0.5, ge=0, le=1)
    """tIoU of a coarse segment with its action from which on the refined heads learn the action."""
    refine_best: bool = False
    """Where no coarse segment of a sequence reaches `refined_tiou`, let the refined heads learn of the best."""

    @field_validator("level_bounds", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        """The command line gives numbers in a row: 0 4 4 8."""
        flat = isinstance(value, list | tuple) and value and not any(isinstance(one, list | tuple) for one in value)
        return [value[i : i + 2] for i in range(0, len(value), 2)] if flat else value

    @model_validator(mode="after")
    def _consistent(self) -> AFSDSettings:
        if self.width % GROUPS:
            raise ValueError(f"width must be a multiple of {GROUPS}, found {self.width}")
        if self.level_bounds is not None:
            if len(self.level_bounds) != self.levels:
                raise ValueError(
                    f"level_bounds has {plural(len(self.level_bounds), 'pair')} for {plural(self.levels, 'level')}"
                )
            for least, largest in self.level_bounds:
                if not 0 <= least < largest < float("inf"):
                    raise ValueError(
                        f"level_bounds must each be [least, largest] from 0 on, found [{least:g}, {largest:g}]"
                    )
        self._check_input()
        self._check_size()
        return self

    @property
    def strides(self) -> tuple[int, ...]:
        """Features between the moments of each level."""
        return tuple(2**level for level in range(self.levels))

    @property
    def units(self) -> tuple[float, ...]:
        """Frames that first distances of each level are counted in."""
        if self.distance_unit == "frame":
            return (1.0,) * self.levels
        return tuple(self.frames_per_feature * stride / 2 for stride in self.strides)

    @property
    def furthest(self) -> float:
        """The longest distance that is learned, in features."""
        return float("inf") if self.level_bounds is None else max(chain(*self.level_bounds))

    @property
    def rough_size(self) -> float:
        """Weights of the network, nearly; what the data have yet to tell is left out."""
        convolutions = 3 * (self.levels - 1) + 3 * 2 + 1 + 2 * 3 * 2
        refinement = 2 * (1 + 2 + 1 + 4)
        heads = 4 * (self.num_classes or 0)
        return self.width * (sum(listed(self.input_dim)) + heads + self.width * (convolutions + refinement))

    @property
    def layer_inputs(self) -> int:
        """Inputs of a convolution."""
        return 3 * self.width
