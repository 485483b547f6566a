"""Boundary pooling: the strongest features around a segment's start and end (Lin et al., CVPR 2021, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.nn.maxima import stretch_maxima

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
    last = torch.maximum(first, last)
    halves = enumerate(features.chunk(2, dim=-1))
    return torch.cat([stretch_maxima(half, first[..., side], last[..., side]) for side, half in halves], dim=-1)
