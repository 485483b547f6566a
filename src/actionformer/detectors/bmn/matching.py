"""The boundary-matching layer (Lin et al., ICCV 2019, section 4.2): samples of every segment and its surroundings."""

from __future__ import annotations

import torch

from actionformer.nn.segment_map.cells import Cells
from actionformer.nn.segment_map.rules import Rules
from actionformer.nn.segment_map.vectors import Samples, SegmentVectors


def sampling(cells: Cells, length: int, rules: Rules, *, bins: int, per_bin: int) -> Samples:
    """Which features each sample of each segment is the weighted sum of.

    A segment of L steps is sampled from L / 2 before its start to L / 2 after its end, at `bins * per_bin` evenly
    spaced positions, both ends included. A position between two features interpolates them; beyond the sequence are
    zeros. A bin is the mean of its positions.
    """
    around = (cells.lengths + rules.extra_length).double() / 2
    low = cells.first - rules.sampled_before - around
    high = cells.last + rules.sampled_after + around
    count = bins * per_bin
    step = (high - low) / max(count - 1, 1)
    position = low[:, None] + step[:, None] * torch.arange(count)  # (V, count)
    before = position.trunc() if rules.published else position.floor()
    share = position - before
    feature = torch.stack((before, position.ceil() if rules.published else before + 1), dim=-1).long()
    weight = torch.stack((1 - share, share), dim=-1) / per_bin
    cell, place, _ = (inside := (feature >= 0) & (feature < length) & (weight != 0)).nonzero(as_tuple=True)
    return Samples(cell, feature[inside] * bins + place // per_bin, weight[inside])


class BoundaryMatching(SegmentVectors):
    """A vector for each segment from samples of it and its surroundings, and last the vector of no segment."""

    def __init__(
        self, in_channels: int, out_channels: int, cells: Cells, rules: Rules, *, bins: int, per_bin: int
    ) -> None:
        samples = sampling(cells, cells.columns, rules, bins=bins, per_bin=per_bin)
        super().__init__(
            in_channels, out_channels, samples, segments=len(cells.index), length=cells.columns, bins=(bins,)
        )
