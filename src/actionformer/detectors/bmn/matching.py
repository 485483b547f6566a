"""The boundary-matching layer (Lin et al., ICCV 2019, section 4.2): samples of every segment, mapped to one vector.

Published code samples the features of all segments by one matrix of (T, bins * cells), nearly all zeros, and then maps
the samples of a segment, (bins * C), to a vector. Both are linear, so here each feature is first mapped for each bin
that it may fall into, and a segment is the weighted sum of some of these vectors: a sparse matrix says of which.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.detectors.bmn.cells import Cells
from actionformer.detectors.bmn.rules import Rules

AT_ONCE = 64
"""Channels that are summed up together: as many as a processor's cache holds of all features."""


class SparseMatrix(NamedTuple):
    """A sparse matrix, row after row."""

    columns: Tensor
    """(N,) int32 of the entries."""
    weights: Tensor
    """(N,) float32 the entries."""
    starts: Tensor
    """(R,) int32 the first entry of each row."""

    def times(self, x: Tensor) -> Tensor:
        """(columns, C) -> (R, C)."""
        weights = self.weights.to(x.dtype)
        return F.embedding_bag(self.columns, x, self.starts, mode="sum", per_sample_weights=weights)


def sparse_matrix(rows: Tensor, columns: Tensor, weights: Tensor, shape: tuple[int, int]) -> SparseMatrix:
    """The matrix of entries (N,); those of one place are added up."""
    place, inverse = torch.unique(rows * shape[1] + columns, return_inverse=True)
    total = torch.zeros(len(place), dtype=torch.float64).index_add_(0, inverse, weights)
    count = torch.bincount(place // shape[1], minlength=shape[0])
    return SparseMatrix((place % shape[1]).int(), total.float(), (count.cumsum(0) - count).int())


def sampling(cells: Cells, length: int, rules: Rules, *, bins: int, per_bin: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which features each sample of each segment is the weighted sum of.

    A segment of L steps is sampled from L / 2 before its start to L / 2 after its end, at `bins * per_bin` evenly
    spaced positions, both ends included. A position between two features interpolates them; beyond the sequence are
    zeros. A bin is the mean of its positions.

    Returns:
        cell, feature * bins + bin, weight: (N,) each, cells as numbers in `cells`.
    """
    around = (cells.lengths + rules.extra_length).double() / 2
    low = cells.first - rules.sampled_before - around
    high = cells.last + rules.sampled_after + around
    count = bins * per_bin
    step = (high - low) / max(count - 1, 1)
    position = low[:, None] + step[:, None] * torch.arange(count)  # (V, count)
    before = position.trunc() if rules.published else position.floor()
    share = position - before
    feature = torch.stack((before, position.ceil() if rules.published else before + 1), dim=-1).long()
    weight = torch.stack((1 - share, share), dim=-1) / per_bin
    cell, place, _ = (inside := (feature >= 0) & (feature < length) & (weight != 0)).nonzero(as_tuple=True)
    return cell, feature[inside] * bins + place // per_bin, weight[inside]


class BoundaryMatching(nn.Module):
    """A vector for each segment from samples of it and its surroundings, and last the vector of no segment.

    The weight is (C_out, bins, C_in), that of a convolution over the bins.
    """

    columns: Tensor
    weights: Tensor
    starts: Tensor
    columns_back: Tensor
    weights_back: Tensor
    starts_back: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, cells: Cells, rules: Rules, *, bins: int, per_bin: int
    ) -> None:
        super().__init__()
        length = cells.columns
        bound = 1 / math.sqrt(in_channels * bins)
        self.weight = nn.Parameter(torch.empty(out_channels, bins, in_channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        row, column, weight = sampling(cells, length, rules, bins=bins, per_bin=per_bin)
        shape = len(cells.index) + 1, length * bins
        forth, back = sparse_matrix(row, column, weight, shape), sparse_matrix(column, row, weight, shape[::-1])
        for name, tensor in (*forth._asdict().items(), *((f"{k}_back", v) for k, v in back._asdict().items())):
            self.register_buffer(name, tensor, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, T, C_in) -> (B, V + 1, C_out)."""
        forth = SparseMatrix(self.columns, self.weights, self.starts)
        back = SparseMatrix(self.columns_back, self.weights_back, self.starts_back)
        parts = []
        for weight in self.weight.split(AT_ONCE):
            out_channels, bins, in_channels = weight.shape
            by_bin = weight.transpose(0, 1).reshape(bins * out_channels, in_channels)
            mapped = F.linear(x, by_bin).view(len(x), -1, out_channels)  # (B, T * bins, C)
            parts.append(torch.stack([_product(one, forth, back) for one in mapped]))
        together = torch.cat(parts, dim=-1)
        return together + self.bias.to(together.dtype)


def _product(x: Tensor, forth: SparseMatrix, back: SparseMatrix) -> Tensor:
    product: Tensor = _Product.apply(x, forth, back)  # type: ignore[no-untyped-call]
    return product


class _Product(torch.autograd.Function):
    """A sparse matrix times a dense one; the gradient is its transpose times a dense one, which is as fast."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, forth: SparseMatrix, back: SparseMatrix) -> Tensor:
        ctx.back = back
        return forth.times(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return ctx.back.times(gradient.contiguous()), None, None
