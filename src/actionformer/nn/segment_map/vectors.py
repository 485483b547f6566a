"""A vector for every segment of a sequence, from samples of its features.

Published code samples the features of all segments, mostly by one large matrix of nearly all zeros, and then maps the
samples of a segment, (bins * C), to a vector. Both are linear, so here each feature is first mapped for each bin that
it may fall into, and a segment is the weighted sum of some of these vectors: a sparse matrix says of which.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from scipy.sparse import csr_array
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


class Samples(NamedTuple):
    """Which features each bin of each segment is the weighted sum of: N entries, of which some may be of one place."""

    segment: Tensor
    """(N,) int64 its number; the one after the last stands for no segment."""
    place: Tensor
    """(N,) int64 feature * bins + bin; those of other numbers of bins follow."""
    weight: Tensor
    """(N,) float"""

    def matrices(self, shape: tuple[int, int]) -> tuple[SparseMatrix, SparseMatrix]:
        """From places to segments, and back; entries of one place are added up."""
        forth = csr_array((self.weight.double().numpy(), (self.segment.numpy(), self.place.numpy())), shape=shape)
        return _of_rows(forth), _of_rows(forth.T.tocsr())


def _of_rows(matrix: Any) -> SparseMatrix:
    columns, weights, starts = (torch.from_numpy(one) for one in (matrix.indices, matrix.data, matrix.indptr[:-1]))
    return SparseMatrix(columns.int(), weights.float(), starts.int())


class SegmentVectors(nn.Module):
    """A vector for each segment from samples of features, and last the vector of no segment, none of them below 0.

    The weight is (C_out, bins, C_in), that of a convolution over the bins, source after source. Sources with as many
    bins are sampled at the same places, so what they are mapped to is added up before.

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
        forth, back = samples.matrices((segments + 1, length * sum(set(bins))))
        for name, tensor in (*forth._asdict().items(), *((f"{k}_back", v) for k, v in back._asdict().items())):
            self.register_buffer(name, tensor, persistent=False)

    def forward(self, *sources: Tensor) -> Iterator[Tensor]:
        """Features (B, T, C_in), of each source -> of each sequence (V + 1, C_out), which a cache holds."""
        forth = SparseMatrix(self.columns, self.weights, self.starts)
        back = SparseMatrix(self.columns_back, self.weights_back, self.starts_back)
        mapped = [self._mapped(sources, weight).unbind() for weight in self.weight.split(AT_ONCE)]
        for of_sequence in zip(*mapped, strict=True):
            vectors = torch.cat([_product(one, forth, back) for one in of_sequence], dim=-1)
            yield F.relu_(vectors.add_(self.bias.to(vectors.dtype)))

    def _mapped(self, sources: tuple[Tensor, ...], weight: Tensor) -> Tensor:
        """(B, places, channels) the features of all sources, mapped for every bin by a weight (channels, bins, C)."""
        mapped: dict[int, Tensor] = {}
        for bins, *pair in zip(self.bins, sources, weight.split(self.bins, dim=1), strict=True):
            mapped[bins] = mapped[bins] + _by_bin(*pair) if bins in mapped else _by_bin(*pair)
        return torch.cat(list(mapped.values()), dim=1)


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
