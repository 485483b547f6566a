"""The strongest features of stretches of a sequence, of any length each."""

from __future__ import annotations

import torch
from torch import Tensor


def stretch_maxima(features: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """The maximum of every channel over stretches of a sequence; the first of equal maxima has the gradient.

    Features are compared as float32.

    Args:
        features: (B, T, C).
        first: (B, M) int64, where each stretch begins, in [0, T).
        last: (B, M) int64, its last position, in [first, T).

    Returns:
        (B, M, C)
    """
    return features.gather(1, _strongest(features.detach(), first, last))


@torch.no_grad()
def _strongest(features: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """(B, M, C) where the first maximum lies.

    A stretch is covered by two others, each a power of two long, whose maxima are found once for all.
    """
    batch, length, channels = features.shape
    lengths = last - first + 1
    longest = int(lengths.max()) if lengths.numel() else 1
    table = _maxima(_keys(features), longest)  # (L, B, T, C)
    sizes = 2 ** torch.arange(len(table), device=features.device)
    power = torch.bucketize(lengths, sizes, right=True) - 1
    sequence = torch.arange(batch, device=features.device)[:, None]
    before, behind = ((power * batch + sequence) * length + at for at in (first, last + 1 - sizes[power]))
    keys = table.view(-1, channels)  # a row per stretch
    return length - 1 - (torch.maximum(keys[before], keys[behind]) & 0xFFFFFFFF)


def _keys(features: Tensor) -> Tensor:
    """(B, T, C) int64, larger for a larger feature, and of equal features for the earlier one.

    The upper half is the float's bits, those below the sign inverted where it is negative: in the order of the floats.
    The lower half is how many positions follow.
    """
    bits = (features.float() + 0.0).contiguous().view(torch.int32)  # -0 becomes 0
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    following = torch.arange(features.shape[1] - 1, -1, -1, device=features.device)
    return (ordered.long() << 32) | following[:, None]


def _maxima(keys: Tensor, longest: int) -> Tensor:
    """(L, B, T, C) of every position the maxima of the 1, 2, 4, ... up to `longest` from it on.

    Where a sequence ends before, nothing is filled in: no stretch looks there.
    """
    table = keys.new_empty(longest.bit_length(), *keys.shape)
    table[0] = keys
    for power in range(1, len(table)):
        half, (shorter, longer) = 2 ** (power - 1), table[power - 1 : power + 1]
        torch.maximum(shorter[:, half:], shorter[:, :-half], out=longer[:, :-half])
    return table
