"""The two heads that every level shares: what happens at a moment, and how far its ends are."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn.layers import Conv, Mask, masked
from actionformer.nn.pyramid import conv_stack


class Head(nn.Module):
    """[conv, norm, ReLU] a hidden layer, then a convolution to the outputs."""

    def __init__(self, *, convs: nn.ModuleList, norms: nn.ModuleList, output: Conv) -> None:
        super().__init__()
        self.convs = convs
        self.norms = norms
        self.output = output

    @property
    def reach(self) -> int:
        """Moments on either side that an output depends on."""
        return sum(conv.kernel // 2 for conv in (*self.convs, self.output))

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C) -> (B, T, outputs), 0 at padding."""
        return masked(self.output(conv_stack(x, valid, self.convs, self.norms)), valid)


class OffsetActivation(nn.Module):
    """activation(scale_l * x): distances in strides of the level, never negative."""

    def __init__(self, *, num_levels: int, softplus: bool) -> None:
        super().__init__()
        self.scales = nn.ParameterList([nn.Parameter(torch.ones(())) for _ in range(num_levels)])
        self.softplus = softplus

    def forward(self, x: Tensor, level: int) -> Tensor:
        """(B, T_l, 2) -> (B, T_l, 2)."""
        x = x * self.scales[level]
        return F.softplus(x) if self.softplus else F.relu(x)
