"""The cells of a map: which segment each stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from actionformer.nn.segment_map.rules import Rules


@dataclass(frozen=True, eq=False)
class Cells:
    """The V segments of a map, row after row."""

    rows: int
    """Of the map: lengths, or first steps."""
    columns: int
    """Of the map: first steps, or last ones."""
    index: Tensor
    """(V,) int64 which of all cells of the map, row after row, each segment is."""
    first: Tensor
    """(V,) int64 its first step."""
    last: Tensor
    """(V,) int64 its last step."""

    @property
    def size(self) -> int:
        """Places of the map, segments or not."""
        return self.rows * self.columns

    @property
    def segments(self) -> Tensor:
        """(V, 2) float32 starts and ends, in steps from where the first step begins."""
        return torch.stack((self.first, self.last + 1), dim=1).float()

    @property
    def lengths(self) -> Tensor:
        """(V,) int64 steps of each segment."""
        return self.last + 1 - self.first


@lru_cache(maxsize=8)
def cells_of(length: int, longest: int, rules: Rules) -> Cells:
    """The segments of up to `longest` of `length` steps."""
    if rules.by_last:
        first, last = torch.meshgrid(torch.arange(length), torch.arange(length), indexing="ij")
    else:
        duration, first = torch.meshgrid(torch.arange(longest), torch.arange(length), indexing="ij")
        last = first + duration
    rows, columns = first.shape
    (index,) = ((first <= last) & (last < length)).flatten().nonzero(as_tuple=True)
    return Cells(rows, columns, index, first.flatten()[index], last.flatten()[index])
