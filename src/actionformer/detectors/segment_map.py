"""What detectors have in common that score all segments of a sequence."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.base import CERTAIN, Architecture
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.segment_map.cells import Cells, cells_of
from actionformer.nn.segment_map.criterion import MapCriterion
from actionformer.nn.segment_map.decoding import MapDecoder
from actionformer.nn.segment_map.outputs import MapOutputs
from actionformer.nn.segment_map.rules import Rules
from actionformer.nn.segment_map.settings import SegmentMapSettings
from actionformer.nn.segment_map.targets import positives, tious
from actionformer.nn.weight_rules import WeightRule
from actionformer.settings.config import Config

MOST_SEGMENTS = 500_000
"""On a map, which has some thousand numbers for each in training."""


class SegmentMapArchitecture(Architecture):
    """All segments of a window, or of a resized sequence, each with its own score per class."""

    one_length = True
    one_by_one = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        length, longest = self.length, self.settings.longest(self.length)
        if length * longest > MOST_SEGMENTS:
            raise InputError(
                f"sequences of {length} features have {length * longest:,} segments of up to {longest}, at most "
                f"{MOST_SEGMENTS:,} fit a map: lower data.window, data.resize or model.max_duration"
            )

    @property
    def settings(self) -> SegmentMapSettings:
        """Of the network."""
        assert isinstance(self.config.model, SegmentMapSettings)
        return self.config.model

    @property
    @abstractmethod
    def rules(self) -> Rules:
        """How the map is laid out, sampled, taught and read."""

    @property
    def length(self) -> int:
        """Features of every sequence."""
        length = self.config.data.window or self.config.data.resize
        assert length is not None
        return length

    @property
    def cells(self) -> Cells:
        """Of the map."""
        return cells_of(self.length, self.settings.longest(self.length), self.rules)

    @property
    def shift(self) -> float:
        """Steps from where a step begins to its feature."""
        return 0.5 if self.rules.starts_before or self.config.data.resize is not None else 0.0

    def criterion(self) -> MapCriterion:
        """Balanced cross-entropy of boundaries and classes, squared error of overlaps."""
        assert self.settings.num_classes is not None
        return MapCriterion(
            self.cells,
            self.rules,
            length=self.length,
            num_classes=self.settings.num_classes,
            shift=self.shift,
        )

    def decoder(self) -> MapDecoder:
        """Segments between likely boundaries, or all."""
        settings = self.config.decoding
        return MapDecoder(self.cells, self.rules, settings, shift=self.shift, most=settings.top_k)

    def weight_rule(self, name: str, weight: nn.Parameter) -> WeightRule:
        """As published: all weights decay."""
        return WeightRule() if self.rules.published else super().weight_rule(name, weight)

    def computed_length(self, length: int) -> int:
        """That of every sequence."""
        return self.length

    def training_length(self) -> int:
        """That of every sequence."""
        return self.length

    @property
    def furthest(self) -> float:
        """From the middle of the longest segment on the map to its end."""
        return self.settings.longest(self.length) / 2

    def taught(self, segments: Sequence[Tensor], lengths: Sequence[int]) -> Tensor:
        """(N,) how many segments of the map learn to be each action."""
        found = [torch.empty(0, dtype=torch.int64)]
        for one, length in zip(segments, lengths, strict=True):
            placed, cells = one.float() + self.shift + self.rules.map_offset, self.cells
            inside = cells.last < length
            found.append((positives(placed, tious(placed, cells), cells, self.rules) & inside).sum(1))
        return torch.cat(found)

    def perfect(self, truth: GroundTruth) -> MapOutputs:
        """Certain of every boundary and class; overlaps are the targets."""
        targets, cells = self.criterion().targets(truth), self.cells
        start, end, classes = (
            (2.0 * one - 1) * CERTAIN for one in (targets.start, targets.end, targets.classes.float())
        )
        overlap = targets.overlap.logit(1e-6).unflatten(1, (cells.rows, cells.columns))
        classes = classes.unflatten(1, (cells.rows, cells.columns))
        return MapOutputs(start, end, overlap, classes, targets.steps)
