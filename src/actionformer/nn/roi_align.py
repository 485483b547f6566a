"""Features of segments, in a fixed number of bins each: 1-D RoI-align, as G-TAD and TadTR have it."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def roi_align(
    features: Tensor, segments: Tensor, *, bins: int, longest: float, lengths: Tensor | None = None
) -> Tensor:
    """The features of every segment, in `bins` bins.

    A gradient reaches the features alone.

    Args:
        features: (B, T, C).
        segments: (B, N, 2), or (N, 2) of every sequence, starts and ends in steps: feature t stands at t.
        bins: R.
        longest: the length of the longest segment, or more; of longer ones less is seen.
        lengths: (B,) features of each sequence before padding; by default T.

    Returns:
        (B, N, R, C)
    """
    weights = roi_weights(segments.detach(), bins=bins, length=features.shape[1], longest=longest, lengths=lengths)
    found: Tensor = weights.flatten(-3, -2).to(features.dtype) @ features  # one row per bin
    bins_of_segments: Tensor = found.unflatten(1, weights.shape[-3:-1])
    return bins_of_segments


def roi_weights(segments: Tensor, *, bins: int, length: int, longest: float, lengths: Tensor | None = None) -> Tensor:
    """(..., N, R, T) what each feature counts in each bin of segments (..., N, 2); see `roi_align`."""
    weights = segments.new_zeros(*segments.shape[:-1], bins, length, dtype=torch.float32)
    for place, weight in roi_samples(segments, bins=bins, length=length, longest=longest, lengths=lengths):
        weights.scatter_add_(-1, place, weight)
    return weights


def roi_samples(
    segments: Tensor, *, bins: int, length: int, longest: float, lengths: Tensor | None = None
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Of each of n samples in each bin of segments (..., N, 2) the features before and after it, and what they count.

    A segment of less than 1 step counts as one of 1. Of a bin w wide n = ceil(w) samples are averaged, at
    (i + 1/2) w / n from its start; there are as many as the longest segment needs, and those too many count 0. A sample
    at t is 0 if t < -1 or t > T; else it lies between two features, or on the first or last one.

    Returns:
        Places (..., N, R, n) int64 and weights (..., N, R, n) of those before, and of those after.
    """
    start, end = segments[..., 0].float(), segments[..., 1].float()
    width = (end - start).clamp(min=1) / bins  # (..., N)
    count = width.ceil()
    sample = torch.arange(math.ceil(max(longest, 1) / bins), device=segments.device)
    within = (sample + 0.5) * (width / count)[..., None]  # (..., N, n)
    first = start[..., None] + torch.arange(bins, device=segments.device) * width[..., None]  # (..., N, R)
    at = first[..., None] + within[..., None, :]
    stop = at.new_tensor(length) if lengths is None else lengths[:, None, None, None].to(at.dtype)
    seen = (sample < count[..., None])[..., None, :] & (at >= -1) & (at <= stop)
    weight = seen / count[..., None, None]
    at = torch.minimum(at.clamp(min=0), stop - 1)
    before = at.floor()
    where = before.nan_to_num(0).long()  # a segment that is no number gives bins that are none
    return (where, weight * (1 - at + before)), ((where + 1).clamp(max=length - 1), weight * (at - before))
