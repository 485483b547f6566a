"""The strongest features of stretches of a sequence, of any length each."""

from __future__ import annotations

import torch
from torch import Tensor


def stretch_maxima(features: Tensor, first: Tensor, last: Tensor, *, longest: int | None = None) -> Tensor:
    """The maximum of every channel over stretches of a sequence; the first of equal maxima has the gradient.

    Args:
        features: (B, T, C).
        first: (B, M) int64, where each stretch begins, in [0, T).
        last: (B, M) int64, its last position, in [first, T).
        longest: positions of the longest stretch, or more: the fewer, the less memory; by default T.

    Returns:
        (B, M, C)
    """
    return features.gather(1, _strongest(features.detach(), first, last, longest or features.shape[1]))


@torch.no_grad()
def _strongest(features: Tensor, first: Tensor, last: Tensor, longest: int) -> Tensor:
    """(B, M, C) where the first maximum lies.

    A stretch is covered by two others, each a power of two long, whose maxima are found once for all.
    """
    batch, length, channels = features.shape
    values, places = _maxima(features, min(longest, length))  # (B, L, T, C)
    sizes = 2 ** torch.arange(values.shape[1], device=features.device)
    power = torch.bucketize(last - first + 1, sizes, right=True) - 1
    sequence = torch.arange(batch, device=features.device)[:, None] * len(sizes)
    before, behind = ((sequence + power) * length + at for at in (first, last + 1 - sizes[power]))
    values, places = (table.view(-1, channels) for table in (values, places))  # a row per stretch
    return torch.where(values[behind] > values[before], places[behind], places[before]).long()


def _maxima(features: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """(B, L, T, C) of every position the maxima of the 1, 2, 4, ... from it on, and where the first of each lies.

    Where a sequence ends before, they are of fewer.
    """
    values = [features]
    places = [torch.arange(features.shape[1], dtype=torch.int32, device=features.device)[:, None].expand_as(features)]
    while (size := 2 ** (len(values) - 1)) * 2 <= longest:
        value, place = values[-1], places[-1]
        later = value[:, size:] > value[:, :-size]
        for table, one in ((values, value), (places, place)):
            table.append(torch.cat((torch.where(later, one[:, size:], one[:, :-size]), one[:, -size:]), dim=1))
    return torch.stack(values, dim=1), torch.stack(places, dim=1)
