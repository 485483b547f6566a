"""What a network says of all segments of a sequence."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from actionformer.nn.layers import Mask


class MapOutputs(NamedTuple):
    """What the network says of a batch, as logits."""

    start: Tensor
    """(B, T) that an action starts in a step."""
    end: Tensor
    """(B, T) that one ends in a step."""
    overlap: Tensor
    """(B, rows, columns) how much a segment overlaps an action: the sigmoid is its tIoU."""
    classes: Tensor
    """(B, rows, columns, K) that a segment is an action of a class."""
    valid: Mask = None
    """(B, T) steps that count; None where all do."""
