"""Weights of published maps of segments, cut as ours are."""

from __future__ import annotations

from torch import Tensor


def parted(weights: dict[str, Tensor], name: str, parts: tuple[str, str]) -> dict[str, Tensor]:
    """A last convolution of two outputs as one convolution for each."""
    parted = dict(weights)
    for kind in ("weight", "bias"):
        both = parted.pop(f"{name}.{kind}", None)
        if both is not None and len(both) == len(parts):
            parted |= {f"{name}.{part}.{kind}": both[row : row + 1] for row, part in enumerate(parts)}
    return parted
