"""Settings of ActionFormer's network."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from actionformer.nn.settings import PyramidSettings
from actionformer.settings.base import short
from actionformer.settings.model import listed

WIDEST_WINDOW = 8191


class ActionFormerSettings(PyramidSettings):
    """ActionFormer's network. Widths are channels; a window is counted in moments of its own level."""

    detector: Literal["actionformer"] = "actionformer"
    """Which detector."""
    block: Literal["transformer", "convolution", "maxpool"] = "transformer"
    """Blocks of the pyramid: local attention, convolutions, or TemporalMaxer's max pooling, which needs no stem."""
    stem_blocks: int = Field(2, ge=0, le=64)
    """Blocks at full length, before the pyramid first halves it."""
    stem_levels: bool = False
    """Make the output of every stem block a level of the pyramid, not only that of the last one."""
    num_heads: int = Field(4, ge=1, le=1024)
    """Attention heads."""
    window: tuple[int, ...] | int = 19
    """Window of local attention, odd; one number, or one per resolution; 1 or less means global attention."""
    position: Literal["none", "sinusoidal", "learned"] = "none"
    """Absolute position encoding."""
    relative_position: bool = False
    """Learned bias for every relative position within the window."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout after attention and in the MLPs."""
    drop_path: float = Field(0.1, ge=0, lt=1)
    """Stochastic depth: probability of dropping a block's branch; above 0, each channel also learns a scale."""

    @field_validator("window")
    @classmethod
    def _one_window(cls, value: tuple[int, ...] | int) -> tuple[int, ...] | int:
        return value[0] if isinstance(value, tuple) and len(value) == 1 else value

    def _check_blocks(self) -> None:
        for window in listed(self.window):
            if window > 1 and window % 2 == 0:
                raise ValueError(f"window must be odd, found {window}")
            if not -1 <= window <= WIDEST_WINDOW:
                raise ValueError(f"window must lie between -1 and {WIDEST_WINDOW}, found {short(window)}")
        if isinstance(self.window, tuple) and len(self.window) != 1 + self.branch_blocks:
            raise ValueError(
                f"window lists {len(self.window)} numbers for {1 + self.branch_blocks} resolutions: "
                "one for the stem and one for each branch block"
            )
        if self.block == "transformer" and self.width % self.num_heads:
            raise ValueError(f"width {self.width} does not divide into {self.num_heads} attention heads")
        if self.stem_levels and not self.stem_size:
            raise ValueError("stem_levels needs stem blocks")

    @property
    def stem_size(self) -> int:
        """Stem blocks that the network has."""
        return 0 if self.block == "maxpool" else self.stem_blocks

    @property
    def rough_blocks(self) -> float:
        """Weights of the blocks and the position table, nearly."""
        per_block = {"transformer": 12, "convolution": 13, "maxpool": 0}[self.block] * self.width**2
        biases = self.num_heads * (self.stem_blocks * self.windows[0] + sum(self.windows[1:])) * self.relative_position
        table = self.width * self.max_length if self.position != "none" else 0
        return per_block * (self.stem_size + self.branch_blocks) + biases + table

    @property
    def windows(self) -> tuple[int, ...]:
        """The attention window of the stem and of every branch block."""
        return self.window if isinstance(self.window, tuple) else (self.window,) * (1 + self.branch_blocks)

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride of every level, in features."""
        stem = self.stem_size if self.stem_levels else 1
        return (1,) * stem + tuple(2 ** (i + 1) for i in range(self.branch_blocks))

    @property
    def level_windows(self) -> tuple[int, ...]:
        """Moments of a level that one of its own blocks sees, for every level; at most 1 for all."""
        if self.block != "transformer":
            return (3,) * self.num_levels
        return (self.windows[0],) * (self.num_levels - self.branch_blocks) + self.windows[1:]
