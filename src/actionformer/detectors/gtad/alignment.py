"""Graph alignment (G-TAD, section 3.3): a vector for each segment from RoI-align of features and their neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.nn.roi_align import roi_samples
from actionformer.nn.segment_map.cells import Cells
from actionformer.nn.segment_map.rules import Rules
from actionformer.nn.segment_map.vectors import Samples, SegmentVectors


def extended(cells: Cells, rules: Rules) -> Tensor:
    """(V + 1, 2) where segments begin and end for sampling, half their length before and after them.

    The last one stands for no segment: published code samples the first step for it.
    """
    around = cells.lengths / 2
    low = cells.first - rules.sampled_before - around
    high = cells.last + rules.sampled_after + around
    return torch.cat((torch.stack((low, high), dim=1), torch.zeros(1, 2)))


def sampling(cells: Cells, length: int, rules: Rules, *, bins: tuple[int, int]) -> Samples:
    """What each feature counts in each bin of each segment; both sources alike where they have as many bins."""
    segments = extended(cells, rules)
    if not rules.published:
        segments = segments[:-1]
    longest = float((segments[:, 1] - segments[:, 0]).max())
    parts = []
    for source, count in enumerate(dict.fromkeys(bins)):
        for feature, weight in roi_samples(segments, bins=count, length=length, longest=longest):
            segment, place, _ = (counts := weight != 0).nonzero(as_tuple=True)
            at = feature[counts] * count + place + source * length * bins[0]
            parts.append((segment, at, weight[counts]))
    return Samples(*(torch.cat(column) for column in zip(*parts, strict=True)))


class GraphAlign(SegmentVectors):
    """Features (B, T, C) and means of neighbours (B, T, C) -> a vector for each segment, and last that of none."""

    def __init__(
        self, in_channels: int, out_channels: int, cells: Cells, rules: Rules, *, bins: tuple[int, int]
    ) -> None:
        samples = sampling(cells, cells.columns, rules, bins=bins)
        super().__init__(in_channels, out_channels, samples, segments=len(cells.index), length=cells.columns, bins=bins)
