"""Embedding, and the pyramid that blocks build on it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn.blocks import Block
from actionformer.nn.layers import Linear, Mask, masked


class Embedding(nn.Module):
    """Projects each source of a concatenated feature vector, if asked to; then [conv, norm, ReLU] a layer."""

    def __init__(self, *, projections: Sequence[Linear], convs: nn.ModuleList, norms: nn.ModuleList) -> None:
        super().__init__()
        self.projections = nn.ModuleList(projections)
        self.source_widths = [projection.in_features for projection in projections]
        self.convs = convs
        self.norms = norms

    @property
    def receptive_radius(self) -> int:
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
