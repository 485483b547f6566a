"""Embedding, blocks, the pyramid they build, and the necks between pyramid and heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.model.attention import Attention
from actionformer.model.layers import Conv, LayerNorm, Linear, ScaledDropPath, masked, max_pool


class Embedding(nn.Module):
    """Projects each source of a concatenated feature vector, if asked to; then [conv, norm, ReLU] a layer."""

    def __init__(self, *, projections: Sequence[Linear], convs: nn.ModuleList, norms: nn.ModuleList) -> None:
        super().__init__()
        self.projections = nn.ModuleList(projections)
        self.source_widths = [projection.in_features for projection in projections]
        self.convs = convs
        self.norms = norms

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, C)."""
        if self.projections:
            pairs = zip(self.projections, torch.split(x, self.source_widths, dim=-1), strict=True)
            x = masked(torch.cat([projection(source) for projection, source in pairs], dim=-1), valid)
        return conv_stack(x, valid, self.convs, self.norms)


def conv_stack(x: Tensor, valid: Tensor, convs: nn.ModuleList, norms: nn.ModuleList) -> Tensor:
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
        self.expand = Linear(channels, 4 * channels)
        self.contract = Linear(4 * channels, channels)
        self.dropout = nn.Dropout(dropout)
        self.drop_attention = ScaledDropPath(channels, probability=drop_path) if drop_path else nn.Identity()
        self.drop_mlp = ScaledDropPath(channels, probability=drop_path) if drop_path else nn.Identity()

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, C), (B, T) -> the same at the block's own resolution."""
        normed = self.attention_norm(x, valid)
        if self.attention.stride == 2:
            x, valid = max_pool(x, valid, clean=self.clean), valid[:, ::2]
        else:
            x = masked(x, valid)
        x = x + self.drop_attention(self.attention(normed, valid))
        hidden = self.dropout(F.gelu(self.expand(self.mlp_norm(x, valid))))
        x = x + self.drop_mlp(masked(self.dropout(self.contract(hidden)), valid))
        return x, valid


class ConvBlock(nn.Module):
    """ReLU(conv(ReLU(conv(x))) + shortcut): the convolution-only ablation of the paper."""

    def __init__(self, channels: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = Conv(channels, 2 * channels, 3, stride=stride)
        self.conv2 = Conv(2 * channels, channels, 3)
        self.downsample = Conv(channels, channels, 1, stride=stride) if stride > 1 else None

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, C), (B, T) -> the same at the block's own resolution."""
        shorter = valid[:, :: self.stride]
        hidden = F.relu(masked(self.conv1(x), shorter))
        shortcut = x if self.downsample is None else masked(self.downsample(x), shorter)
        return F.relu(masked(self.conv2(hidden), shorter) + shortcut), shorter


class Pyramid(nn.Module):
    """Stem blocks at full length, then branch blocks that each halve it; every level is a block's output."""

    def __init__(self, *, stem: Sequence[nn.Module], branch: Sequence[nn.Module], stem_levels: bool) -> None:
        super().__init__()
        self.stem = nn.ModuleList(stem)
        self.branch = nn.ModuleList(branch)
        self.stem_levels = stem_levels

    def forward(self, x: Tensor, valid: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """(B, T, C), (B, T) -> levels (B, T_l, C) and their masks, T_l = ceil(T / stride_l)."""
        levels: list[Tensor] = []
        masks: list[Tensor] = []
        for block in self.stem:
            x, valid = block(x, valid)
            if self.stem_levels:
                levels.append(x)
                masks.append(valid)
        if not levels:
            levels.append(x)
            masks.append(valid)
        for block in self.branch:
            x, valid = block(x, valid)
            levels.append(x)
            masks.append(valid)
        return levels, masks


class IdentityNeck(nn.Module):
    """A LayerNorm for each level, or nothing."""

    def __init__(self, norms: nn.ModuleList) -> None:
        super().__init__()
        self.norms = norms

    def forward(self, levels: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
        """Levels (B, T_l, C) -> the same shapes."""
        if not self.norms:
            return levels
        return [norm(x, valid) for norm, x, valid in zip(self.norms, levels, masks, strict=True)]


class FeaturePyramidNeck(nn.Module):
    """Top-down: each level's lateral map plus the coarser level, repeated twice; then a depthwise convolution."""

    def __init__(self, *, laterals: nn.ModuleList, convs: nn.ModuleList, norms: nn.ModuleList, clean: bool) -> None:
        super().__init__()
        self.laterals = laterals
        self.convs = convs
        self.norms = norms
        self.clean = clean

    def forward(self, levels: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
        """Levels (B, T_l, C) -> (B, T_l, C_neck)."""
        summed = [masked(lateral(x), m) for lateral, x, m in zip(self.laterals, levels, masks, strict=True)]
        for fine in range(len(summed) - 2, -1, -1):
            if summed[fine].shape[1] == summed[fine + 1].shape[1]:  # two stem levels
                above = summed[fine + 1]
            else:
                above = summed[fine + 1].repeat_interleave(2, dim=1)[:, : summed[fine].shape[1]]
            summed[fine] = summed[fine] + above
            if self.clean:
                summed[fine] = masked(summed[fine], masks[fine])
        outputs = [masked(conv(x), m) for conv, x, m in zip(self.convs, summed, masks, strict=True)]
        if not self.norms:
            return outputs
        return [norm(x, valid) for norm, x, valid in zip(self.norms, outputs, masks, strict=True)]
