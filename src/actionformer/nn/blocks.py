"""Blocks of a feature pyramid: each keeps the length of a sequence or halves it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn.attention import Attention
from actionformer.nn.layers import Conv, Dropout, LayerNorm, Linear, Mask, ScaledDropPath, every, masked, max_pool


class Block(nn.Module, ABC):
    """(B, T, C) and its mask -> the same at the block's own resolution."""

    stride: int
    """Inputs from one output to the next, 1 or 2."""
    receptive_radius: int | None
    """Inputs on either side that an output depends on; None for all."""

    @abstractmethod
    def forward(self, x: Tensor, valid: Mask) -> tuple[Tensor, Mask]:
        """(B, T, C), (B, T) -> (B, ceil(T / stride), C) and its mask."""


class TransformerBlock(Block):
    """x = pool(x) + drop(attention(norm(x))); x = x + drop(MLP(norm(x))). With stride 2 it halves the length."""

    def __init__(self, *, attention: Attention, channels: int, drop_path: float, dropout: float, exact: bool) -> None:
        super().__init__()
        self.stride = attention.stride
        self.receptive_radius = self.stride * (attention.window // 2) + 1 if attention.window > 1 else None
        self.exact = exact
        self.attention_norm = LayerNorm(channels, exact=exact)
        self.attention = attention
        self.mlp_norm = LayerNorm(channels, exact=exact)
        self.expand = Linear(channels, 4 * channels, gelu=True)
        self.contract = Linear(4 * channels, channels)
        self.dropout = Dropout(dropout)
        self.drop_attention = ScaledDropPath(channels, probability=drop_path) if drop_path else nn.Identity()
        self.drop_mlp = ScaledDropPath(channels, probability=drop_path) if drop_path else nn.Identity()

    def forward(self, x: Tensor, valid: Mask) -> tuple[Tensor, Mask]:
        """(B, T, C), (B, T) -> the same at the block's own resolution."""
        normed = self.attention_norm(x, valid)
        if self.stride == 2:
            x, valid = max_pool(x, valid, exact=self.exact), every(2, valid)
        else:
            x = masked(x, valid)
        x = x + self.drop_attention(self.attention(normed, valid))
        hidden = self.dropout(self.expand(self.mlp_norm(x, valid)))
        x = x + self.drop_mlp(masked(self.dropout(self.contract(hidden)), valid))
        return x, valid


class ConvBlock(Block):
    """ReLU(conv(ReLU(conv(x))) + shortcut): the convolution-only ablation of the paper."""

    def __init__(self, channels: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.receptive_radius = stride + 1  # one output of conv1, and what it sees
        self.conv1 = Conv(channels, 2 * channels, 3, stride=stride)
        self.conv2 = Conv(2 * channels, channels, 3)
        self.downsample = Conv(channels, channels, 1, stride=stride) if stride > 1 else None

    def forward(self, x: Tensor, valid: Mask) -> tuple[Tensor, Mask]:
        """(B, T, C), (B, T) -> the same at the block's own resolution."""
        shorter = every(self.stride, valid)
        hidden = F.relu(masked(self.conv1(x), shorter))
        shortcut = x if self.downsample is None else masked(self.downsample(x), shorter)
        return F.relu(masked(self.conv2(hidden), shorter) + shortcut), shorter


class MaxPoolBlock(Block):
    """Maximum over 3 moments at every second one: TemporalMaxer's block, which has no weights (arXiv 2303.09055)."""

    stride = 2
    receptive_radius = 1

    def __init__(self, *, exact: bool) -> None:
        super().__init__()
        self.exact = exact

    def forward(self, x: Tensor, valid: Mask) -> tuple[Tensor, Mask]:
        """(B, T, C), (B, T) -> (B, ceil(T / 2), C) and its mask."""
        return max_pool(x, valid, exact=self.exact), every(2, valid)
