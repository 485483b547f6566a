"""Which part of a sequence a proposal is judged by, and its strongest features in bins.

A proposal is seen with half of its length on either side. Here, feature t covers [t, t + 1] from where the sequence
begins, so that positions are grid steps plus one half.
"""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.nn.maxima import stretch_maxima

CHANNELS = 64
"""That are pooled together: tables of their maxima are in memory at once."""


def extended(proposals: Tensor, lengths: Tensor) -> Tensor:
    """Proposals (B, N, 2) in grid steps with their surroundings, cut to sequences of lengths (B,).

    Returns:
        (B, N, 2) starts and ends, in features from where the sequence begins.
    """
    start, end = (proposals + 0.5).unbind(-1)
    half = (end - start) / 2
    stop = lengths[:, None].to(start.dtype)
    ends = (start - half).clamp(min=0), end + half
    return torch.stack([torch.minimum(one, stop) for one in ends], dim=-1)


def extended_in_frames(proposals: Tensor, frames: Tensor, per_feature: int, *, training: bool) -> Tensor:
    """`extended` as published, which counts whole frames.

    In training the half is rounded down and the start is one frame later. In detection, positions are fractions of the
    video first, whose frames are rounded down: what the fractions lose may be a frame. The last frame is inside.

    Args:
        proposals: (B, N, 2) in grid steps.
        frames: (B,) of each video.
        per_feature: frames from one feature to the next.
        training: which of both rules.
    """
    video = frames.cpu().double()[:, None]
    start, end = ((proposals.cpu().double() + 0.5) * per_feature).round().unbind(-1)
    if training:
        half = ((end - start) / 2).trunc()
        start, end = start + 1 - half, end + half
    else:
        start, end = start / video, end / video
        half = (end - start) * 0.5
        start, end = ((start - half).clamp(min=0) * video).trunc(), ((end + half).clamp(max=1) * video).trunc()
    start, end = start.clamp(min=0), torch.minimum(end, video)
    end = torch.maximum(end, start + 1)
    return (torch.stack((start, end + 1), dim=-1) / per_feature).float().to(proposals.device)


def region_maxima(features: Tensor, regions: Tensor, lengths: Tensor, bins: int) -> Tensor:
    """The strongest features in bins of regions: all features that a bin touches; 0 where it touches none.

    Args:
        features: (B, T, C).
        regions: (B, N, 2), see `extended`.
        lengths: (B,) features of each sequence before padding.
        bins: R, each as wide as the others.

    Returns:
        (B, N, R, C)
    """
    start, end = regions.float().unbind(-1)
    start, width, bin = start[..., None], ((end - start) / bins)[..., None], torch.arange(bins, device=features.device)
    edges = (start + bin * width).floor(), (start + (bin + 1) * width).ceil()
    stop = lengths[:, None, None]
    first, behind = (torch.minimum(one.long().clamp(min=0), stop) for one in edges)  # (B, N, R)
    empty = first >= behind
    first = torch.minimum(first, stop - 1)
    first, last = first.flatten(1), torch.maximum(behind - 1, first).flatten(1)  # (B, N * R)
    if not first.numel():
        return features.new_zeros(*empty.shape, features.shape[2])
    parts = features.split(CHANNELS, dim=-1)
    found = torch.cat([stretch_maxima(one, first, last) for one in parts], dim=-1)
    in_bins: Tensor = found.unflatten(1, empty.shape[1:])
    return in_bins.masked_fill(empty[..., None], 0)
