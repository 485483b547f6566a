"""Settings of TriDet's network."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from actionformer.nn.settings import PyramidSettings
from actionformer.settings.model import WIDEST

GROUPS = 16
"""Of the GroupNorm in every block."""
WIDEST_KERNEL = 8191


class TriDetSettings(PyramidSettings):
    """TriDet's network. Widths are channels; a window is counted in moments of its own level."""

    detector: Literal["tridet"] = "tridet"
    """Which detector."""
    stem_blocks: int = Field(2, ge=0, le=64)
    """Blocks at full length, with window 1, before the pyramid first halves it."""
    window: int = Field(3, ge=1, le=WIDEST_KERNEL)
    """Kernel of the narrow convolution of a branch block, in moments, odd."""
    window_factor: float = Field(1.5, gt=0, le=100)
    """Kernel of the wide convolution: (window + 1) * this, rounded, plus 1 if that is even."""
    mlp_width: int | None = Field(None, ge=1, le=WIDEST)
    """Hidden channels of a block's MLP; if unset, 4 * width."""
    init_deviation: float = Field(0.1, ge=0, le=100)
    """Standard deviation of a block's first convolution weights; with 0 (published THUMOS14, EPIC) they never learn."""
    downsampling: Literal["max", "average"] = "max"
    """How a block halves the length: the maximum of 3 moments, or the mean of 2 followed by a linear map."""
    position: Literal["none", "sinusoidal"] = "none"
    """Absolute position encoding."""
    drop_path: float = Field(0.1, ge=0, lt=1)
    """Stochastic depth: probability of dropping a block's branch; above 0, each channel also learns a scale."""
    boundary: Literal["plain", "trident"] = "trident"
    iou_power: float = Field(0.2, ge=0, le=100)

    def _check_blocks(self) -> None:
        if self.width % GROUPS:
            raise ValueError(f"width must be a multiple of {GROUPS}, found {self.width}")
        if self.window % 2 == 0:
            raise ValueError(f"window must be odd, found {self.window}")
        if self.wide_window(self.window) > WIDEST_KERNEL:
            raise ValueError(f"(window + 1) * window_factor must be at most {WIDEST_KERNEL}")

    def wide_window(self, window: int) -> int:
        """Moments that the wide convolution sees beside a narrow one of `window`; halves round to even."""
        wide = round((window + 1) * self.window_factor)
        return wide + 1 if wide % 2 == 0 else wide

    @property
    def hidden_width(self) -> int:
        """Hidden channels of a block's MLP."""
        return self.mlp_width or 4 * self.width

    @property
    def rough_blocks(self) -> float:
        """Weights of the blocks, nearly."""
        kernels = 2 * self.window + self.wide_window(self.window) + 2
        pooling = self.width**2 if self.downsampling == "average" else 0
        blocks = self.stem_blocks + self.branch_blocks
        return blocks * (2 * self.width * self.hidden_width + kernels * self.width + pooling)

    @property
    def level_windows(self) -> tuple[int, ...]:
        """0 for every level: a block's mean and norm see the whole sequence."""
        return (0,) * self.num_levels
