"""Settings that detectors with a feature pyramid share. Widths are channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from actionformer.core.words import plural
from actionformer.settings.base import check_short
from actionformer.settings.model import WIDEST, ModelSettings, listed

Ranges = tuple[tuple[float, float], ...]

FARTHEST = 1e9
"""Of distances in features."""

DEFAULT_RANGES: Ranges = ((0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 10000))


class PyramidSettings(ModelSettings):
    """Embedding, pyramid, neck and heads. Widths are channels."""

    PUBLISHED: ClassVar[Mapping[str, Any]] = {"offsets": "relu", "mask_padding": "published"}
    UNUSED: ClassVar[tuple[str, ...]] = ()

    projection: tuple[int, ...] | None = None
    """Widths that the sources of a list `input_dim` are projected to before the embedding."""
    width: int = Field(512, ge=1, le=WIDEST)
    """Channels of the embedding and the pyramid."""
    embedding_layers: int = Field(2, ge=1, le=32)
    """Convolutions of the embedding."""
    embedding_kernel: int = Field(3, ge=1, le=255)
    """Kernel of the embedding's convolutions, odd."""
    embedding_norm: bool = True
    """LayerNorm in the embedding."""
    branch_blocks: int = Field(5, ge=0, le=16)
    """Blocks that each halve the length."""
    neck: Literal["identity", "fpn"] = "identity"
    """What lies between pyramid and heads: a norm per level (identity), or a top-down feature pyramid (fpn)."""
    neck_width: int | None = Field(None, ge=1, le=WIDEST)
    """Channels after an fpn neck; if unset, `width`."""
    neck_norm: bool = True
    """LayerNorm after the neck."""
    head_width: int | None = Field(None, ge=1, le=WIDEST)
    """Hidden channels of the heads; if unset, `width`."""
    head_kernel: int = Field(3, ge=1, le=255)
    """Kernel of the heads' convolutions, odd."""
    head_layers: int = Field(3, ge=1, le=32)
    """Convolutions of a head, the last one included."""
    head_norm: bool = True
    """LayerNorm in the heads."""
    offsets: Literal["softplus", "relu"] = "softplus"
    """Activation that makes distances positive; the published relu has no gradient at 0."""
    boundary: Literal["plain", "trident"] = "plain"
    """How distances to start and end are found: directly, or as TriDet's expectation over bins beside each moment."""
    boundary_bins: int = Field(16, ge=1, le=1000)
    """Trident: bins beside each moment, one per stride of the level; the longest distance is as many strides."""
    boundary_kernel: int = Field(3, ge=1, le=255)
    """Trident: kernel of the convolutions in the start and end heads, odd."""
    iou_power: float = Field(0.0, ge=0, le=100)
    """Trident: weight the classification loss of positive moments by tIoU ** this; TriDet uses 0.2."""
    class_prior: float = Field(0.01, gt=0, lt=1)
    """Probability that the classifier gives every class before training."""
    mask_padding: Literal["exact", "published"] = "exact"
    """`exact`: padding never changes a result; `published`: the padding rule of the released checkpoints."""
    regression_ranges: Ranges = DEFAULT_RANGES
    """Per level, the range of distances to an action's further end that it learns, in features (level-0 grid steps)."""

    members: int = Field(1, ge=1, le=64)
    """Networks whose probabilities and distances are averaged; `ensemble` makes such a model of runs, training none."""

    @field_validator("regression_ranges", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        """The command line gives numbers in a row: 0 4 4 8."""
        flat = isinstance(value, list | tuple) and value and not any(isinstance(one, list | tuple) for one in value)
        return [value[i : i + 2] for i in range(0, len(value), 2)] if flat else value

    @model_validator(mode="after")
    def _consistent(self) -> PyramidSettings:
        for name in ("embedding_kernel", "head_kernel", "boundary_kernel"):
            if getattr(self, name) % 2 == 0:
                raise ValueError(f"{name} must be odd, found {getattr(self, name)}")
        self._check_blocks()
        if len(self.regression_ranges) != self.num_levels:
            raise ValueError(
                f"regression_ranges has {plural(len(self.regression_ranges), 'entry', 'entries')} for "
                f"{plural(self.num_levels, 'level')}"
            )
        self._check_ranges()
        self._check_sources()
        if self.neck == "identity" and self.neck_width not in (None, self.width):
            raise ValueError(f"an identity neck keeps width {self.width}, found neck_width {self.neck_width}")
        self._check_size()
        return self

    def _check_blocks(self) -> None:
        """Raises a ValueError for blocks that cannot be; a detector with blocks of its own says which."""

    def _check_ranges(self) -> None:
        before = (0.0, 0.0)
        for least, largest in self.regression_ranges:
            if not 0 <= least < largest <= FARTHEST:
                raise ValueError(
                    f"regression_ranges must each be [least, largest] from 0 on, found [{least:g}, {largest:g}]"
                )
            if least < before[0] or largest < before[1]:
                raise ValueError(f"regression_ranges must not fall from level to level, found [{least:g}, {largest:g}]")
            before = least, largest

    def _check_sources(self) -> None:
        sources = listed(self.input_dim) + listed(self.projection)
        if not all(1 <= channels <= WIDEST for channels in sources):
            raise ValueError(f"input_dim and projection count channels, from 1 on and up to {WIDEST} a source")
        check_short("input_dim and projection", sources)
        if self.projection is not None:
            if not isinstance(self.input_dim, tuple) or len(self.input_dim) != len(self.projection):
                raise ValueError("projection needs a list input_dim of the same length")
            if sum(self.projection) != self.width:
                raise ValueError(f"projection widths sum to {sum(self.projection)}, width is {self.width}")

    @property
    def rough_size(self) -> float:
        """Weights of the network, nearly; what the data have yet to tell is left out."""
        neck, head = self.neck_width or self.width, self.head_width or self.width
        sources = sum(listed(self.input_dim))
        embedding = self.embedding_kernel * self.width * (sources + self.width * (self.embedding_layers - 1))
        joined = self.width * neck * self.num_levels if self.neck == "fpn" else 0
        hidden = neck * head + head**2 * max(self.head_layers - 2, 0)
        classes = self.num_classes or 0
        heads = self.head_kernel * (2 * hidden + head * (classes + 2))
        if self.boundary == "trident":
            heads += self.boundary_kernel * 2 * (hidden + head * classes)
        return embedding + self.rough_blocks + joined + heads

    @property
    def layer_inputs(self) -> int:
        """Inputs of a convolution of the embedding."""
        return self.width * self.embedding_kernel

    @property
    def rough_blocks(self) -> float:
        """Weights of the blocks, nearly."""
        return 0

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride of every level, in features."""
        return tuple(2**level for level in range(self.branch_blocks + 1))

    @property
    def level_windows(self) -> tuple[int, ...]:
        """Moments of a level that one of its own blocks sees, for every level; at most 1 for all."""
        return (3,) * self.num_levels

    @property
    def num_levels(self) -> int:
        """Levels of the pyramid."""
        return len(self.strides)
