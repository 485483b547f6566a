"""Boundary pooling: the strongest features around a segment's start and end (Lin et al., CVPR 2021, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor

INSIDE, OUTSIDE = 4.0, 10.0
"""A boundary's region reaches a quarter of the segment's length inwards, and a tenth outwards; at least 1."""


def boundary_regions(start: Tensor, end: Tensor, length: Tensor) -> Tensor:
    """First and last positions of the regions around two boundaries, the last one included.

    Args:
        start: (...) in positions.
        end: (...) likewise.
        length: (...) that the regions are measured by.

    Returns:
        (..., 4) int64: first and last of the start's, first and last of the end's; they may lie outside of a sequence.
    """
    inside, outside = (length / INSIDE).clamp(min=1), (length / OUTSIDE).clamp(min=1)
    edges = start - outside, start + inside, end - inside, end + outside
    return torch.stack(edges, dim=-1).round().long()  # of two whole numbers that are as near, the even one


def boundary_maxima(features: Tensor, regions: Tensor, lengths: Tensor) -> Tensor:
    """The maxima of features around starts, in the first half of the channels, and around ends, in the second.

    Regions are cut to the sequence; where nothing is left of one, its first position counts. The first of equal maxima
    has the gradient.

    Args:
        features: (B, T, C), C even.
        regions: (B, M, 4), see `boundary_regions`.
        lengths: (B,) positions of each sequence before padding.

    Returns:
        (B, M, C)
    """
    stop = (lengths - 1)[:, None, None]
    first, last = (torch.minimum(regions[..., side::2].clamp(min=0), stop) for side in (0, 1))  # (B, M, 2)
    return features.gather(1, _strongest(features.detach(), first, torch.maximum(first, last)))


@torch.no_grad()
def _strongest(features: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """(B, M, C) where the first maximum lies in regions that begin and end at (B, M, 2), of each half of the channels.

    A region is covered by two stretches, each a power of two long, whose maxima are found once for all regions.
    """
    batch, length, channels = features.shape
    values, places = _maxima(features)  # (B, L, T, C)
    sizes = 2 ** torch.arange(values.shape[1], device=features.device)
    power = torch.bucketize(last - first + 1, sizes, right=True) - 1
    sequence = torch.arange(batch, device=features.device)[:, None, None] * len(sizes)
    side = torch.arange(2, device=features.device)
    before, behind = (((sequence + power) * length + at) * 2 + side for at in (first, last + 1 - sizes[power]))
    values, places = (table.view(-1, channels // 2) for table in (values, places))  # a row per stretch and half
    return torch.where(values[behind] > values[before], places[behind], places[before]).flatten(-2).long()


def _maxima(features: Tensor) -> tuple[Tensor, Tensor]:
    """(B, L, T, C) of every position the maxima of the 1, 2, 4, ... from it on, and where the first of each lies.

    Where a sequence ends before, they are of fewer.
    """
    values = [features]
    places = [torch.arange(features.shape[1], dtype=torch.int32, device=features.device)[:, None].expand_as(features)]
    while (size := 2 ** (len(values) - 1)) * 2 <= features.shape[1]:
        value, place = values[-1], places[-1]
        later = value[:, size:] > value[:, :-size]
        for table, one in ((values, value), (places, place)):
            table.append(torch.cat((torch.where(later, one[:, size:], one[:, :-size]), one[:, -size:]), dim=1))
    return torch.stack(values, dim=1), torch.stack(places, dim=1)
