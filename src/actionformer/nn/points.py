"""Moments of the pyramid: the grid positions that its outputs speak for, in training and inference alike."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def level_lengths(length: int, strides: Sequence[int]) -> list[int]:
    """Moments of every level for `length` features: each halving keeps the first of every pair."""
    return [-(-length // stride) for stride in strides]


def moments(lengths: Sequence[int], strides: Sequence[int], device: torch.device | str | None = None) -> list[Tensor]:
    """Positions of the moments of every level, in level-0 grid steps.

    Moment i of a level lies at `i * stride`, without the half-stride shift of image detectors (as published).

    Args:
        lengths: T_l, moments of each level.
        strides: level-0 steps between the moments of each level.
        device: where the result is to be.

    Returns:
        A tensor (T_l,) float32 for every level.
    """
    return [
        torch.arange(length, dtype=torch.float32, device=device) * stride
        for length, stride in zip(lengths, strides, strict=True)
    ]
