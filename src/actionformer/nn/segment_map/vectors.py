"""A vector for every segment of a sequence, from samples of its features.

Published code samples the features of all segments, mostly by one large matrix of nearly all zeros, and then maps the
samples of a segment, (bins * C), to a vector. Both are linear, so here each feature is first mapped for each bin that
it may fall into, and a segment is the weighted sum of some of these vectors: a sparse matrix says of which.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

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


class Samples(NamedTuple):
    """Which features each bin of each segment is the weighted sum of: N entries."""

    segment: Tensor
    """(N,) int64 its number; the one after the last stands for no segment."""
    place: Tensor
    """(N,) int64 feature * bins + bin; those of a second source of features follow the first one's."""
    weight: Tensor
    """(N,) float"""


class SegmentVectors(nn.Module):
    """A vector for each segment from samples of features, and last the vector of no segment.

    The weight is (C_out, bins, C_in), that of a convolution over the bins, source after source.

    Args:
        in_channels: of the features, of every source.
        out_channels: of the vectors.
        samples: of the segments.
        segments: V.
        length: features of every source.
        bins: of each source.
    """

    columns: Tensor
    weights: Tensor
    starts: Tensor
    columns_back: Tensor
    weights_back: Tensor
    starts_back: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        samples: Samples,
        *,
        segments: int,
        length: int,
        bins: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.bins = bins
        bound = 1 / math.sqrt(in_channels * sum(bins))
        self.weight = nn.Parameter(torch.empty(out_channels, sum(bins), in_channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        row, column, weight = samples
        shape = segments + 1, length * sum(bins)
        forth, back = sparse_matrix(row, column, weight, shape), sparse_matrix(column, row, weight, shape[::-1])
        for name, tensor in (*forth._asdict().items(), *((f"{k}_back", v) for k, v in back._asdict().items())):
            self.register_buffer(name, tensor, persistent=False)

    def forward(self, *sources: Tensor) -> Tensor:
        """Features (B, T, C_in), of each source -> (B, V + 1, C_out)."""
        forth = SparseMatrix(self.columns, self.weights, self.starts)
        back = SparseMatrix(self.columns_back, self.weights_back, self.starts_back)
        parts = []
        for weight in self.weight.split(AT_ONCE):
            own = weight.split(self.bins, dim=1)
            mapped = torch.cat([_by_bin(*pair) for pair in zip(sources, own, strict=True)], dim=1)
            parts.append(torch.stack([_product(one, forth, back) for one in mapped]))
        together = torch.cat(parts, dim=-1)
        return together + self.bias.to(together.dtype)


def _by_bin(x: Tensor, weight: Tensor) -> Tensor:
    """Features (B, T, C_in), mapped by a weight (C_out, bins, C_in) for every bin -> (B, T * bins, C_out)."""
    out_channels, bins, in_channels = weight.shape
    by_bin = weight.transpose(0, 1).reshape(bins * out_channels, in_channels)
    return F.linear(x, by_bin).view(len(x), -1, out_channels)


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
