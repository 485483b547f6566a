"""What a network with a feature pyramid says of the moments of its levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor


class LevelOutputs(NamedTuple):
    """What the network says of consecutive moments of one level: all of them, or those that a chunk has completed."""

    level: int
    first: int
    """Index in its level of the first of these moments."""
    logits: Tensor
    """(B, t, K) class scores before the sigmoid, 0 at padding."""
    offsets: Tensor
    """(B, t, 2) distances to the action's start and end, in strides of the level; (B, t, K, 2) where each class has
    its own."""
    valid: Tensor
    """(B, t) bool."""

    @property
    def stop(self) -> int:
        """Index in its level of the moment after the last of these."""
        return self.first + self.logits.shape[1]

    def between(self, first: int, stop: int) -> LevelOutputs:
        """Those of these moments from index `first` of the level to `stop`."""
        cut = slice(max(first - self.first, 0), max(stop - self.first, 0))
        return LevelOutputs(self.level, max(first, self.first), *(one[:, cut] for one in self[2:]))


class PyramidOutputs(NamedTuple):
    """What the network says of whole sequences, a list over levels; T_l = ceil(T / stride_l)."""

    logits: list[Tensor]
    """(B, T_l, K) class scores before the sigmoid, 0 at padding."""
    offsets: list[Tensor]
    """(B, T_l, 2) distances to the action's start and end, in strides of the level; (B, T_l, K, 2) where each class has
    its own."""
    valid: list[Tensor]
    """(B, T_l) bool."""
    pyramid: list[Tensor]
    """(B, T_l, C) the pyramid before the neck."""

    def parts(self) -> Iterator[LevelOutputs]:
        """The same, level by level."""
        for level, tensors in enumerate(zip(self.logits, self.offsets, self.valid, strict=True)):
            yield LevelOutputs(level, 0, *tensors)
