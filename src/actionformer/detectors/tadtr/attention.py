"""Deformable attention in one dimension (Zhu et al., Deformable DETR, ICLR 2021; in time: Liu et al., TadTR, 2022)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from actionformer.nn.layers import Linear, Mask, masked


class DeformableAttention(nn.Module):
    """Each head of a query looks at a few places around where the query stands, and learns which.

    In steps of the sequence, where feature t is the stretch from t to t + 1 and a sequence of T ends at T: around a
    point r the places are r + o, around a segment of width w and centre c they are c + o w / (2 P), with offsets o and
    weights that are linear maps of the query. What lies beyond the sequence is 0.

    Attributes:
        offsets: query -> o, in steps or in halves of the segment divided by P.
        weights: query -> what each place of a head weighs, before a softmax.
    """

    def __init__(self, channels: int, *, num_heads: int, num_points: int) -> None:
        super().__init__()
        self.num_heads, self.num_points = num_heads, num_points
        self.offsets = Linear(channels, num_heads * num_points)
        self.weights = Linear(channels, num_heads * num_points)
        self.value = Linear(channels, channels)
        self.output = Linear(channels, channels)

    @torch.no_grad()
    def reset(self) -> None:
        """First weights: places spread out by head and point, all alike for every query and weighing the same."""
        nn.init.zeros_(self.offsets.weight)
        nn.init.zeros_(self.weights.weight)
        head, point = torch.arange(self.num_heads), torch.arange(self.num_points)
        direction = (4 * math.pi * head / self.num_heads).cos()
        self.offsets.bias.copy_((direction[:, None] * (point + 1)).flatten())
        for linear in (self.value, self.output):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, query: Tensor, memory: Tensor, reference: Tensor, lengths: Tensor, valid: Mask) -> Tensor:
        """What queries (B, L, C) see of a memory (B, T, C), as (B, L, C).

        Args:
            query: (B, L, C).
            memory: (B, T, C).
            reference: (B, L, 1) points or (B, L, 2) centres and widths, as shares of the sequence.
            lengths: (B,) the steps of each sequence.
            valid: (B, T).
        """
        value = masked(self.value(memory), valid).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, H, T, d)
        rows = sampling_rows(self.places(query, reference, lengths), self.shares(query), memory.shape[1])
        seen = rows.to(value.dtype) @ value  # (B, H, L, d)
        attended: Tensor = self.output(seen.transpose(1, 2).flatten(2))
        return attended

    def places(self, query: Tensor, reference: Tensor, lengths: Tensor) -> Tensor:
        """(B, H, L, P) where each head of each query looks, in steps."""
        offsets = self._by_head(self.offsets(query))
        steps = lengths[:, None, None, None]
        if reference.shape[-1] == 1:
            return reference[:, None] * steps + offsets
        centre, width = reference[:, None].unbind(-1)
        return (centre[..., None] + offsets / self.num_points * (width / 2)[..., None]) * steps

    def shares(self, query: Tensor) -> Tensor:
        """(B, H, L, P) what each place weighs, 1 in all for every head."""
        shares: Tensor = self._by_head(self.weights(query)).softmax(-1)
        return shares

    def _by_head(self, x: Tensor) -> Tensor:
        return x.float().view(*x.shape[:-1], self.num_heads, self.num_points).transpose(1, 2)


def sampling_rows(places: Tensor, shares: Tensor, length: int) -> Tensor:
    """(B, H, L, T) what each feature counts for each query: the attention matrix that sampled places amount to.

    A place p lies between features i and i + 1, i = floor(p - 1/2), and counts both in proportion. The product of these
    rows with the values gives what gathering two values per place gives, and is faster where T is some hundreds.

    Args:
        places: (B, H, L, P) in steps; feature t stands at t + 1/2.
        shares: (B, H, L, P) what each place weighs.
        length: T.
    """
    first = (places - 0.5).floor()
    beyond = places - 0.5 - first
    features = torch.cat((first, first + 1), dim=-1)
    inside = (features >= 0) & (features < length)
    counts = torch.cat((shares * (1 - beyond), shares * beyond), dim=-1) * inside
    where = features.nan_to_num(0).clamp(0, length - 1).long()
    return counts.new_zeros(*places.shape[:-1], length).scatter_add(-1, where, counts)
