"""TriDet's network: a pyramid of scalable-granularity perception (SGP) blocks (Shi et al., CVPR 2023, section 3.2)."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.detectors.tridet.settings import GROUPS, TriDetSettings
from actionformer.nn.blocks import Block
from actionformer.nn.building import is_exact, pyramid_network
from actionformer.nn.layers import (
    Conv,
    GroupNorm,
    LayerNorm,
    Linear,
    Mask,
    ScaledDropPath,
    average_pool,
    every,
    masked,
    max_pool,
    mean_of_valid,
)
from actionformer.nn.pyramid import Pyramid
from actionformer.nn.pyramid_network import PyramidNetwork


def build_network(settings: TriDetSettings) -> PyramidNetwork:
    """A network with fresh weights, drawn from torch's global generator.

    Raises:
        InputError: `input_dim` or `num_classes` is not set.
    """
    return pyramid_network(settings, build_pyramid=lambda: build_pyramid(settings), position=settings.position)


def build_pyramid(settings: TriDetSettings) -> Pyramid:
    """Stem blocks at full length, which are never dropped, then branch blocks that each halve it."""
    stem = [_block(settings, window=1, stride=1, drop_path=0.0) for _ in range(settings.stem_blocks)]
    branch = [
        _block(settings, window=settings.window, stride=2, drop_path=settings.drop_path)
        for _ in range(settings.branch_blocks)
    ]
    return Pyramid(stem=stem, branch=branch, stem_levels=False)


def _block(settings: TriDetSettings, *, window: int, stride: int, drop_path: float) -> Block:
    exact = is_exact(settings)
    return SGPBlock(
        perception=Perception(
            settings.width,
            window=window,
            wide_window=settings.wide_window(window),
            deviation=settings.init_deviation,
            exact=exact,
        ),
        downsampling=None if stride == 1 else Downsampling(settings.width, kind=settings.downsampling, exact=exact),
        channels=settings.width,
        hidden=settings.hidden_width,
        drop_path=drop_path,
        exact=exact,
    )


class SGPBlock(Block):
    """x = pool(x) + drop(perception(norm(x))); x = x + drop(MLP(GroupNorm(x))). With a pool it halves the length.

    Published padding leaves the sum as it is at padding, where it is not 0, and GroupNorm counts it in.
    """

    receptive_radius = None

    def __init__(
        self,
        *,
        perception: Perception,
        downsampling: Downsampling | None,
        channels: int,
        hidden: int,
        drop_path: float,
        exact: bool,
    ) -> None:
        super().__init__()
        self.stride = 1 if downsampling is None else 2
        self.exact = exact
        self.downsampling = downsampling
        self.input_norm = LayerNorm(channels, exact=exact)
        self.perception = perception
        self.mlp_norm = GroupNorm(channels, groups=GROUPS, exact=exact)
        self.expand = Linear(channels, hidden, gelu=True)
        self.contract = Linear(hidden, channels)
        self.drop_perception = ScaledDropPath(channels, probability=drop_path) if drop_path else nn.Identity()
        self.drop_mlp = ScaledDropPath(channels, probability=drop_path) if drop_path else nn.Identity()

    def forward(self, x: Tensor, valid: Mask) -> tuple[Tensor, Mask]:
        """(B, T, C), (B, T) -> the same at the block's own resolution."""
        if self.downsampling is not None:
            x, valid = self.downsampling(x, valid), every(2, valid)
        normed = self.input_norm(x, valid)
        x = self._kept(masked(x, valid) + self.drop_perception(self.perception(normed, valid)), valid)
        x = x + self.drop_mlp(self.contract(self.expand(self.mlp_norm(x, valid))))
        return self._kept(x, valid), valid

    def _kept(self, x: Tensor, valid: Mask) -> Tensor:
        return masked(x, valid) if self.exact else x


class Downsampling(nn.Module):
    """Half as many moments: the maximum of 3, or the mean of 2 followed by a linear map."""

    def __init__(self, channels: int, *, kind: str, exact: bool) -> None:
        super().__init__()
        self.exact = exact
        self.linear = Linear(channels, channels) if kind == "average" else None

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C), (B, T) -> (B, ceil(T / 2), C); published padding takes part and gives what it gives."""
        seen = valid if self.exact else None
        if self.linear is None:
            return max_pool(x, seen, exact=self.exact)
        return masked(self.linear(average_pool(x, seen)), every(2, seen))


class Perception(nn.Module):
    """fc(o) * phi + (narrow(o) + wide(o)) * psi(o) + o, with phi = ReLU(fc'(mean of o over time)): equation 1.

    Every map works on each channel alone. What is common to all moments is made less alike by phi, and two
    granularities are weighed by psi. The mean is over the whole sequence: with published padding, padding included.
    """

    def __init__(self, channels: int, *, window: int, wide_window: int, deviation: float, exact: bool) -> None:
        super().__init__()
        self.exact = exact
        self.gate, self.instant, self.narrow, self.wide, self.pooled = (
            Conv(channels, channels, kernel, groups=channels) for kernel in (window, 1, window, wide_window, 1)
        )
        for conv in (self.gate, self.instant, self.narrow, self.wide, self.pooled):
            nn.init.normal_(conv.weight, 0.0, deviation)

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C), (B, T) -> (B, T, C)."""
        common = F.relu(self.pooled(mean_of_valid(x, valid if self.exact else None)))  # (B, 1, C)
        y: Tensor = self.instant(x) * common + (self.narrow(x) + self.wide(x)) * self.gate(x) + x
        return y
