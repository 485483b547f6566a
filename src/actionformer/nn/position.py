"""Absolute position encodings."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn.layers import Mask, masked


def sinusoids(length: int, channels: int) -> Tensor:
    """(length, channels): sin at channel 2j and cos at 2j + 1 of position / 10000^(2j / C), over sqrt(C).

    As in "Attention is all you need", divided by sqrt(C) as published ActionFormer does.
    """
    position = torch.arange(length, dtype=torch.float64).unsqueeze(1)
    frequency = 10000.0 ** (-torch.arange(0, channels, 2, dtype=torch.float64) / channels)
    table = torch.zeros(length, channels, dtype=torch.float64)
    table[:, 0::2] = torch.sin(position * frequency)
    table[:, 1::2] = torch.cos(position * frequency)[:, : channels // 2]
    return (table / math.sqrt(channels)).float()


class PositionEncoding(nn.Module):
    """Adds a table of `max_length` positions, fixed or learned; longer sequences interpolate it linearly.

    Published: in test, all of a padded sequence of `max_length` or more shares one interpolation. Exact: each
    sequence is interpolated by its own length, and only if that exceeds `max_length`.
    """

    def __init__(self, *, max_length: int, channels: int, learned: bool, exact: bool) -> None:
        super().__init__()
        self.exact = exact
        if learned:
            self.table: Tensor = nn.Parameter(nn.init.trunc_normal_(torch.empty(max_length, channels), std=0.02))
        else:
            self.register_buffer("table", sinusoids(max_length, channels), persistent=False)

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C), (B, T) -> (B, T, C)."""
        length, max_length = x.shape[1], len(self.table)
        if length <= max_length:
            positions = self.table[:length]
        elif self.exact:
            lengths = [length] if valid is None else valid.sum(1).tolist()
            positions = torch.stack([self._stretched(n, length) for n in lengths])
        elif self.training:
            raise ValueError(f"a training sequence of {length} exceeds max_length {max_length}")
        else:
            positions = self._stretched(length, length)
        return x + masked(positions.to(x.dtype).expand_as(x), valid)

    def _stretched(self, sequence: int, length: int) -> Tensor:
        """The table for a sequence of `sequence` moments, in `length` rows."""
        table = self.table
        if sequence > len(table):
            table = F.interpolate(table.t().unsqueeze(0), sequence, mode="linear")[0].t()
        table = table[:length]
        return F.pad(table, (0, 0, 0, length - len(table)))
