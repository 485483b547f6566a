"""Necks between pyramid and heads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from actionformer.nn.layers import GroupNorm, Mask, masked


class Neck(nn.Module, ABC):
    """Levels of the pyramid -> what the heads look at, level by level."""

    norms: nn.ModuleList
    """The last step: a norm per level, one that all levels share, or none."""
    radius: int
    """Moments of its level on either side that an output depends on, the norm left aside."""

    @property
    def receptive_radius(self) -> int | None:
        """Moments of its level on either side that an output depends on; None for all."""
        return None if any(isinstance(norm, GroupNorm) for norm in self.norms) else self.radius

    @abstractmethod
    def forward(self, levels: list[Tensor], masks: list[Mask]) -> list[Tensor]:
        """Levels (B, T_l, C) and their masks (B, T_l) -> (B, T_l, C_neck)."""

    def finish(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """The last steps, which look at one level alone: (B, T_l, C_neck) -> the same shape."""
        x = self.before_norm(x, valid, level)
        return self.norm(level)(x, valid) if self.norms else x

    def norm(self, level: int) -> nn.Module:
        """That of a level."""
        return self.norms[level % len(self.norms)]

    @abstractmethod
    def before_norm(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """What the norm of one level looks at: (B, T_l, C_neck) -> the same shape."""

    @abstractmethod
    def with_norms(self, norms: nn.ModuleList) -> Neck:
        """The same neck, not a copy of its parts, with other norms."""


class IdentityNeck(Neck):
    """Norms alone, or nothing."""

    radius = 0

    def __init__(self, norms: nn.ModuleList) -> None:
        super().__init__()
        self.norms = norms

    def forward(self, levels: list[Tensor], masks: list[Mask]) -> list[Tensor]:
        """Levels (B, T_l, C) -> the same shapes."""
        return [self.finish(x, valid, level) for level, (x, valid) in enumerate(zip(levels, masks, strict=True))]

    def before_norm(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """One level (B, T_l, C) as it is."""
        return x

    def with_norms(self, norms: nn.ModuleList) -> IdentityNeck:
        """The same neck with other norms."""
        return IdentityNeck(norms)


class FeaturePyramidNeck(Neck):
    """Top-down: each level's lateral map plus the coarser level, repeated twice; then a depthwise convolution."""

    radius = 1

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

    def before_norm(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """One level (B, T_l, C_neck) -> the same shape."""
        return masked(self.convs[level](x), valid)

    def with_norms(self, norms: nn.ModuleList) -> FeaturePyramidNeck:
        """The same neck with other norms."""
        return FeaturePyramidNeck(
            laterals=self.laterals, convs=self.convs, norms=norms, repeats=self.repeats, exact=self.exact
        )
