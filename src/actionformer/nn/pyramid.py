"""Embedding, blocks, the pyramid they build, and the necks between pyramid and heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn.attention import Attention
from actionformer.nn.layers import Conv, LayerNorm, Linear, Mask, ScaledDropPath, every, masked, max_pool


class Embedding(nn.Module):
    """Projects each source of a concatenated feature vector, if asked to; then [conv, norm, ReLU] a layer."""

    def __init__(self, *, projections: Sequence[Linear], convs: nn.ModuleList, norms: nn.ModuleList) -> None:
        super().__init__()
        self.projections = nn.ModuleList(projections)
        self.source_widths = [projection.in_features for projection in projections]
        self.convs = convs
        self.norms = norms

    @property
    def reach(self) -> int:
        """Moments on either side that an output depends on."""
        return sum(conv.kernel // 2 for conv in self.convs)  # type: ignore[operator, misc]

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, D) -> (B, T, C)."""
        if self.projections:
            pairs = zip(self.projections, torch.split(x, self.source_widths, dim=-1), strict=True)
            x = masked(torch.cat([projection(source) for projection, source in pairs], dim=-1), valid)
        return conv_stack(x, valid, self.convs, self.norms)


def conv_stack(x: Tensor, valid: Mask, convs: nn.ModuleList, norms: nn.ModuleList) -> Tensor:
    """ReLU(norm(conv(x))) once for every convolution; without norms, ReLU(conv(x))."""
    for index, conv in enumerate(convs):
        x = masked(conv(x), valid)
        if norms:
            x = norms[index](x, valid)
        x = F.relu(x)
    return x


class TransformerBlock(nn.Module):
    """x = pool(x) + drop(attention(norm(x))); x = x + drop(MLP(norm(x))). With stride 2 it halves the length."""

    def __init__(self, *, attention: Attention, channels: int, drop_path: float, dropout: float, clean: bool) -> None:
        super().__init__()
        self.clean = clean
        self.attention_norm = LayerNorm(channels, clean=clean)
        self.attention = attention
        self.mlp_norm = LayerNorm(channels, clean=clean)
        self.expand = Linear(channels, 4 * channels, gelu=True)
        self.contract = Linear(4 * channels, channels)
        self.dropout = nn.Dropout(dropout)
        self.drop_attention = ScaledDropPath(channels, probability=drop_path) if drop_path else nn.Identity()
        self.drop_mlp = ScaledDropPath(channels, probability=drop_path) if drop_path else nn.Identity()

    @property
    def stride(self) -> int:
        """Inputs from one output to the next."""
        return self.attention.stride

    @property
    def reach(self) -> int | None:
        """Inputs on either side that an output depends on; None for all."""
        window = self.attention.window
        return self.stride * (window // 2) + 1 if window > 1 else None

    def forward(self, x: Tensor, valid: Mask) -> tuple[Tensor, Mask]:
        """(B, T, C), (B, T) -> the same at the block's own resolution."""
        normed = self.attention_norm(x, valid)
        if self.stride == 2:
            x, valid = max_pool(x, valid, clean=self.clean), every(2, valid)
        else:
            x = masked(x, valid)
        x = x + self.drop_attention(self.attention(normed, valid))
        hidden = self.dropout(self.expand(self.mlp_norm(x, valid)))
        x = x + self.drop_mlp(masked(self.dropout(self.contract(hidden)), valid))
        return x, valid


class ConvBlock(nn.Module):
    """ReLU(conv(ReLU(conv(x))) + shortcut): the convolution-only ablation of the paper."""

    def __init__(self, channels: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.reach = stride + 1  # one output of conv1, and what it sees
        self.conv1 = Conv(channels, 2 * channels, 3, stride=stride)
        self.conv2 = Conv(2 * channels, channels, 3)
        self.downsample = Conv(channels, channels, 1, stride=stride) if stride > 1 else None

    def forward(self, x: Tensor, valid: Mask) -> tuple[Tensor, Mask]:
        """(B, T, C), (B, T) -> the same at the block's own resolution."""
        shorter = every(self.stride, valid)
        hidden = F.relu(masked(self.conv1(x), shorter))
        shortcut = x if self.downsample is None else masked(self.downsample(x), shorter)
        return F.relu(masked(self.conv2(hidden), shorter) + shortcut), shorter


Block = TransformerBlock | ConvBlock


class Pyramid(nn.Module):
    """Stem blocks at full length, then branch blocks that each halve it; every level is a block's output."""

    def __init__(self, *, stem: Sequence[Block], branch: Sequence[Block], stem_levels: bool) -> None:
        super().__init__()
        self.stem = nn.ModuleList(stem)
        self.branch = nn.ModuleList(branch)
        self.first_level = min(len(stem), 1) if stem_levels else len(stem)

    @property
    def blocks(self) -> list[Block]:
        """All blocks, in order; the output of block i is level i + 1 - first_level."""
        return [*self.stem, *self.branch]

    def forward(self, x: Tensor, valid: Mask) -> tuple[list[Tensor], list[Mask]]:
        """(B, T, C), (B, T) -> levels (B, T_l, C) and their masks, T_l = ceil(T / stride_l)."""
        outputs = [(x, valid)]
        for block in self.blocks:
            outputs.append(block(*outputs[-1]))
        levels, masks = zip(*outputs[self.first_level :], strict=True)
        return list(levels), list(masks)


class IdentityNeck(nn.Module):
    """A LayerNorm for each level, or nothing."""

    reach = 0

    def __init__(self, norms: nn.ModuleList) -> None:
        super().__init__()
        self.norms = norms

    def forward(self, levels: list[Tensor], masks: list[Mask]) -> list[Tensor]:
        """Levels (B, T_l, C) -> the same shapes."""
        return [self.finish(x, valid, level) for level, (x, valid) in enumerate(zip(levels, masks, strict=True))]

    def finish(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """One level (B, T_l, C) -> the same shape."""
        return self.norms[level](x, valid) if self.norms else x


class FeaturePyramidNeck(nn.Module):
    """Top-down: each level's lateral map plus the coarser level, repeated twice; then a depthwise convolution."""

    reach = 1

    def __init__(
        self,
        *,
        laterals: nn.ModuleList,
        convs: nn.ModuleList,
        norms: nn.ModuleList,
        repeats: Sequence[int],
        clean: bool,
    ) -> None:
        super().__init__()
        self.laterals = laterals
        self.convs = convs
        self.norms = norms
        self.repeats = repeats  # of level l + 1 to the length of level l; 1 between two stem levels
        self.clean = clean

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
        return masked(x, valid) if self.clean else x

    def finish(self, x: Tensor, valid: Mask, level: int) -> Tensor:
        """One level (B, T_l, C_neck) -> the same shape."""
        x = masked(self.convs[level](x), valid)
        return self.norms[level](x, valid) if self.norms else x
