"""Attention within a window around each moment, or over the whole sequence."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from actionformer.nn.layers import Conv, Dropout, LayerNorm, Linear, Mask, masked

CHUNK = 32  # queries computed together; each chunk sees CHUNK + window - 1 keys


class Attention(nn.Module):
    """Multi-head attention whose queries, keys and values come from depthwise convolutions.

    q, k, v = Linear(LayerNorm(DepthwiseConv(x))), each with weights of its own; with `stride` 2 the convolutions halve
    the length. A window of 1 or less is global. The relative bias, one number a head and offset, is added to the
    scaled logits of local attention.
    """

    def __init__(
        self,
        channels: int,
        *,
        num_heads: int,
        window: int,
        stride: int,
        relative_position: bool,
        dropout: float,
        exact: bool,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.window = window
        self.stride = stride

        def conv() -> Conv:
            return Conv(channels, channels, 3, stride=stride, bias=False, groups=channels)

        self.query_conv, self.key_conv, self.value_conv = conv(), conv(), conv()
        self.query_norm = LayerNorm(channels, exact=exact)
        self.key_norm = LayerNorm(channels, exact=exact)
        self.value_norm = LayerNorm(channels, exact=exact)
        self.query = Linear(channels, channels)
        self.key = Linear(channels, channels)
        self.value = Linear(channels, channels)
        self.proj = Linear(channels, channels)
        self.dropout = Dropout(dropout)
        self.relative_bias: nn.Parameter | None = None
        if relative_position and window > 1:
            bias = nn.init.trunc_normal_(torch.empty(num_heads, window), std=math.sqrt(2 / channels))
            self.relative_bias = nn.Parameter(bias)

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """x (B, T, C) and `valid` (B, ceil(T / stride)), the mask at the output's resolution -> (B, T_out, C)."""
        query = self.query(self.query_norm(masked(self.query_conv(x), valid), valid))
        key = self.key(self.key_norm(masked(self.key_conv(x), valid), valid))
        value = self.value(self.value_norm(masked(self.value_conv(x), valid), valid))
        query, key, value = (split_heads(t, self.num_heads) for t in (query, key, value))
        if self.window > 1:
            attended = local_attention(query, key, value, valid, self.window, self.relative_bias)
        else:
            attended = global_attention(query, key, value, valid)
        projected: Tensor = self.dropout(self.proj(attended.flatten(2)))
        return masked(projected, valid)


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """(B, T, C) -> (B, T, H, C / H)."""
    return x.view(*x.shape[:-1], num_heads, -1)


def global_attention(query: Tensor, key: Tensor, value: Tensor, valid: Mask) -> Tensor:
    """softmax(q k^T / sqrt(d)) v over all valid keys; all (B, T, H, d), `valid` (B, T)."""
    bias = None
    if valid is not None:
        bias = torch.zeros_like(valid, dtype=query.dtype).masked_fill_(~valid, torch.finfo(query.dtype).min)
        bias = bias[:, None, None, :]
    query, key, value = (t.transpose(1, 2) for t in (query, key, value))  # (B, H, T, d)
    return F.scaled_dot_product_attention(query, key, value, bias).transpose(1, 2)


def local_attention(
    query: Tensor, key: Tensor, value: Tensor, valid: Mask, window: int, relative_bias: Tensor | None = None
) -> Tensor:
    """softmax(q k^T / sqrt(d) + bias) v over the valid keys within window // 2 of each query.

    Queries are cut into chunks, each of which attends to its own keys and window // 2 more on both sides, under a
    mask of the band: the cost grows with T * window.

    Args:
        query, key, value: (B, T, H, d).
        valid: (B, T) bool, None for all. Where no key is valid the result has no meaning; the caller masks it.
        window: W, odd.
        relative_bias: (H, W); entry w belongs to the key at query + w - W // 2.

    Returns:
        (B, T, H, d)
    """
    batch, length, heads, width = query.shape
    reach = window // 2
    chunks = (length + CHUNK - 1) // CHUNK
    if torch.compiler.is_exporting():
        chunks += 1  # so that there are never just one or just the moments: a graph cannot have both cases
    tail = chunks * CHUNK - length
    query = F.pad(query, (0, 0, 0, 0, 0, tail)).view(batch * chunks, CHUNK, heads, width)
    key, value = (neighbourhoods(t, reach, tail) for t in (key, value))  # (B * n, CHUNK + 2 * reach, H, d)
    if valid is None:
        valid = torch.ones(batch, length, dtype=torch.bool, device=query.device)
    seen = F.pad(valid, (reach, reach + tail)).unfold(1, CHUNK + 2 * reach, CHUNK)  # (B, n, keys)
    band = window_band(reach, query.device)
    mask = (seen.unsqueeze(2) & band).flatten(0, 1).unsqueeze(1)  # (B * n, 1, CHUNK, keys)
    bias = query.new_zeros(())
    if relative_bias is not None:
        bias = spread_over_band(relative_bias, reach).to(query.dtype)
    bias = torch.where(mask, bias, torch.finfo(query.dtype).min)  # (B * n, 1 or H, CHUNK, keys)
    query, key, value = (t.transpose(1, 2) for t in (query, key, value))
    attended = F.scaled_dot_product_attention(query, key, value, bias).transpose(1, 2)
    return attended.reshape(batch, chunks * CHUNK, heads, width)[:, :length]


def neighbourhoods(x: Tensor, reach: int, tail: int) -> Tensor:
    """(B, T, H, d) -> (B * chunks, CHUNK + 2 * reach, H, d): every chunk with `reach` more on both sides."""
    seen: Tensor = _Neighbourhoods.apply(x, reach, tail)  # type: ignore[no-untyped-call]
    return seen


class _Neighbourhoods(torch.autograd.Function):
    """As `unfold`, whose own gradient takes several times as long."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, reach: int, tail: int) -> Tensor:
        ctx.reach, ctx.length = reach, x.shape[1]
        padded = F.pad(x, (0, 0, 0, 0, reach, reach + tail))
        return padded.unfold(1, CHUNK + 2 * reach, CHUNK).permute(0, 1, 4, 2, 3).flatten(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        chunks = -(-ctx.length // CHUNK)
        of_keys = gradient.unflatten(0, (-1, chunks))  # (B, chunks, keys, H, d)
        batch, _, keys, *rest = of_keys.shape
        padded = gradient.new_zeros(batch, chunks * CHUNK + -(-keys // CHUNK) * CHUNK, *rest)
        for start in range(0, keys, CHUNK):
            part = of_keys[:, :, start : start + CHUNK]
            padded[:, start : start + chunks * CHUNK].unflatten(1, (chunks, CHUNK))[:, :, : part.shape[2]] += part
        return padded[:, ctx.reach : ctx.reach + ctx.length], None, None


def window_band(reach: int, device: torch.device) -> Tensor:
    """(CHUNK, CHUNK + 2 * reach) bool: key j of a chunk's neighbourhood lies within `reach` of query i."""
    query = torch.arange(CHUNK, device=device).unsqueeze(1)
    key = torch.arange(CHUNK + 2 * reach, device=device)
    return (key >= query) & (key <= query + 2 * reach)


def spread_over_band(relative_bias: Tensor, reach: int) -> Tensor:
    """(H, W) -> (H, CHUNK, CHUNK + 2 * reach) with entry w at (i, i + w)."""
    offset = torch.arange(CHUNK + 2 * reach, device=relative_bias.device)
    offset = offset - torch.arange(CHUNK, device=relative_bias.device).unsqueeze(1)
    return relative_bias[:, offset.clamp(0, 2 * reach)]


def windowed_attention_by_definition(
    query: Tensor, key: Tensor, value: Tensor, valid: Tensor, window: int, relative_bias: Tensor | None = None
) -> Tensor:
    """Reference implementation of `local_attention`: the whole T x T matrix under the band. For tests and small T."""
    length, reach = query.shape[1], window // 2
    offset = torch.arange(length).unsqueeze(0) - torch.arange(length).unsqueeze(1) + reach  # key - query + reach
    allowed = ((offset >= 0) & (offset < window)) & valid[:, None, None, :]
    logits = torch.einsum("bqhd,bkhd->bhqk", query, key) / math.sqrt(query.shape[-1])
    if relative_bias is not None:
        logits = logits + relative_bias[:, offset.clamp(0, window - 1)]
    logits = logits.masked_fill(~allowed, torch.finfo(logits.dtype).min)
    return torch.einsum("bhqk,bkhd->bqhd", logits.softmax(-1), value)
