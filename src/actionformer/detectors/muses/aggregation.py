"""Multi-scale temporal aggregation (Liu et al., CVPR 2021, section 4.2): what lies near, and what lies a shot away."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

COLUMNS = 3
SCALES = ((1, 3), (3, 3), (3, 6), (3, 9))
"""Of each branch its rows of three taps, and the distance between rows."""


def offsets(rows: int, distance: int) -> list[int]:
    """Where the taps of a branch lie, in features from the one in the middle: row after row."""
    return [
        (row - rows // 2) * distance + column - COLUMNS // 2
        for row in range(rows) for column in range(COLUMNS)
    ]  # fmt: skip


REACH = max(max(offsets(*scale)) for scale in SCALES)
"""Features on either side that one is aggregated from."""


class Branch(nn.Module):
    """The weights of one scale: (C_out, taps, C_in) and (C_out,)."""

    def __init__(self, in_channels: int, out_channels: int, taps: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(taps * in_channels)
        self.weight = nn.Parameter(torch.empty(out_channels, taps, in_channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out_channels))


class TemporalAggregation(nn.Module):
    """The sum of convolutions of several scales (B, T, C_in) -> (B, T, C_out), zeros beyond both ends.

    A branch folds the sequence into rows, `distance` features long, and sees three neighbours in its own row, or also
    in the row before and the one after. As all taps lie within 10 features, one convolution, whose kernel is the sum of
    theirs, does the same.
    """

    taps: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList([Branch(in_channels, out_channels, rows * COLUMNS) for rows, _ in SCALES])
        places = [REACH + offset for scale in SCALES for offset in offsets(*scale)]
        self.register_buffer("taps", torch.tensor(places), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C_in) -> (B, T, C_out)."""
        weights = torch.cat([branch.get_parameter("weight") for branch in self.branches], dim=1)  # (C_out, 30, C_in)
        kernel = weights.new_zeros(len(weights), 2 * REACH + 1, weights.shape[2]).index_add(1, self.taps, weights)
        length, padded = x.shape[1], F.pad(x, (0, 0, REACH, REACH))
        first, *others = (branch.get_parameter("bias") for branch in self.branches)
        y: Tensor = sum(others, start=first)
        for tap in range(2 * REACH + 1):  # products of matrices: as fast as a convolution, and less is rounded
            y = y + F.linear(padded[:, tap : tap + length], kernel[:, tap])
        return y
