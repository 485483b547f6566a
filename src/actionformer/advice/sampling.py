"""How densely videos become features, from the lengths of the actions in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.backbones import Backbone
from actionformer.core.words import plural

SHORT = 0.1
"""Share of the actions that may be shorter than what the stride is chosen for."""
SPANNED = 6
"""Features that a short action spans."""
CLIP = 2
"""Strides that a clip covers, of backbones without weights, which take clips of any length."""


@dataclass(frozen=True)
class Sampling:
    """Stride and clip of features that are yet to be made, in frames, with the reasons."""

    stride: int
    num_frames: int
    stride_reason: str
    num_frames_reason: str


def sampling(
    seconds: NDArray[np.float64],
    fps: float,
    backbone: Backbone,
    stride: int | None = None,
    num_frames: int | None = None,
) -> Sampling:
    """So many frames that short actions span several features.

    Args:
        seconds: (N,) lengths of the actions, N > 0.
        fps: frames per second that the backbone sees.
        backbone: whose own stride is the largest, and whose clips are kept if it has learned weights.
        stride: frames, where the user has chosen.
        num_frames: likewise.
    """
    short = float(np.quantile(seconds, SHORT))
    if stride is not None:
        chosen, why = stride, "given"
    else:
        chosen = min(max(math.floor(short * fps / SPANNED), 1), backbone.stride)
        length = f"{short:.0f}" if short >= 10 else f"{short:.2g}"
        spanned = plural(round(short * fps / chosen), "feature")
        why = f"{1 - SHORT:.0%} of the actions last {length} s or more and span {spanned}"
    if num_frames is not None:
        return Sampling(chosen, num_frames, why, "given")
    if backbone.weights_hash is not None:
        return Sampling(chosen, backbone.num_frames, why, f"the clips that {backbone.name} was trained on")
    frames = min(CLIP * chosen, backbone.num_frames)
    return Sampling(chosen, frames, why, "two strides: longer clips would blur starts and ends")
