"""Necks between pyramid and heads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from actionformer.nn.layers import Mask, masked


class Neck(nn.Module, ABC):
    """Levels of the pyramid -> what the heads look at, level by level."""

    receptive_radius: int
    """Moments of its level on either side that an output depends on."""

    @abstractmethod
    def forward(self, levels: list[Tensor], masks: list[Mask]) -> list[Tensor]:
        """Levels (B, T_l, C) and their masks (B, T_l) -> (B, T_l, C_neck)."""

    @abstractmethod
    def finish(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """The last step, which looks at one level alone: (B, T_l, C_neck) -> the same shape."""


class IdentityNeck(Neck):
    """A LayerNorm for each level, or nothing."""

    receptive_radius = 0

    def __init__(self, norms: nn.ModuleList) -> None:
        super().__init__()
        self.norms = norms

    def forward(self, levels: list[Tensor], masks: list[Mask]) -> list[Tensor]:
        """Levels (B, T_l, C) -> the same shapes."""
        return [self.finish(x, valid, level) for level, (x, valid) in enumerate(zip(levels, masks, strict=True))]

    def finish(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """One level (B, T_l, C) -> the same shape."""
        return self.norms[level](x, valid) if self.norms else x


class FeaturePyramidNeck(Neck):
    """Top-down: each level's lateral map plus the coarser level, repeated twice; then a depthwise convolution."""

    receptive_radius = 1

    def __init__(
        self,
        *,
        laterals: nn.ModuleList,
        convs: nn.ModuleList,
        norms: nn.ModuleList,
        repeats: Sequence[int],
        exact: bool,
    ) -> None:
        super().__init__()
        self.laterals = laterals
        self.convs = convs
        self.norms = norms
        self.repeats = repeats  # of level l + 1 to the length of level l; 1 between two stem levels
        self.exact = exact

    def forward(self, levels: list[Tensor], masks: list[Mask]) -> list[Tensor]:
        """Levels (B, T_l, C) -> (B, T_l, C_neck)."""
        summed = [self.lateral(x, valid, level) for level, (x, valid) in enumerate(zip(levels, masks, strict=True))]
        for level in range(len(summed) - 2, -1, -1):
            summed[level] = self.add(summed[level], summed[level + 1], masks[level], level)
        return [self.finish(x, valid, level) for level, (x, valid) in enumerate(zip(summed, masks, strict=True))]

    def lateral(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """One level (B, T_l, C) -> (B, T_l, C_neck)."""
        return masked(self.laterals[level](x), valid)

    def add(self, x: Tensor, above: Tensor, valid: Mask, level: int) -> Tensor:
        """A level (B, T_l, C_neck) with the coarser one above it, (B, ceil(T_l / repeats), C_neck)."""
        x = x + above.repeat_interleave(self.repeats[level], dim=1)[:, : x.shape[1]]
        return masked(x, valid) if self.exact else x

    def finish(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """One level (B, T_l, C_neck) -> the same shape."""
        x = masked(self.convs[level](x), valid)
        return self.norms[level](x, valid) if self.norms else x
