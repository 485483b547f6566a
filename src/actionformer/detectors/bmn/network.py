"""BMN's network (Lin et al., ICCV 2019, section 4.2): where actions start and end, and a map of all segments."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.bmn.cells import Cells, cells_of
from actionformer.detectors.bmn.matching import BoundaryMatching
from actionformer.detectors.bmn.rules import rules_of
from actionformer.detectors.bmn.settings import MAP_LAYERS, BMNSettings
from actionformer.nn.layers import Conv, Linear, Mask, masked
from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer


class BMNOutputs(NamedTuple):
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


class BMNNetwork(Network):
    """Features -> starts, ends and the map of segments.

    With `exact`, padding is left out everywhere. Published code keeps it out of the first convolutions alone.
    """

    CLASS_ROWS = ("map.classes.",)
    FIRST_LAYER = ("normalizer.", "base.0.")

    def __init__(
        self,
        *,
        normalizer: FeatureNormalizer,
        base: nn.ModuleList,
        start: BoundaryHead,
        end: BoundaryHead,
        reduce: Conv,
        matching: BoundaryMatching,
        map: MapHead,
        exact: bool,
    ) -> None:
        super().__init__()
        self.exact = exact
        self.normalizer = normalizer
        self.base = base
        self.start, self.end = start, end
        self.reduce = reduce
        self.matching = matching
        self.map = map

    def forward(self, features: Tensor, valid: Tensor | None = None) -> BMNOutputs:
        """Features (B, T, D) and their mask (B, T) bool, without which all are valid; T is always the same."""
        x = self.normalizer(features, valid).to(self.dtype)
        for conv in self.base:
            x = masked(F.relu(conv(x)), valid)  # (B, T, C)
        seen = valid if self.exact else None
        sampled = masked(F.relu(self.reduce(x)), seen)
        overlap, classes = self.map(F.relu(self.matching(sampled)))
        return BMNOutputs(self.start(x, seen), self.end(x, seen), overlap, classes, seen)

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the fresh classifier give this probability to every segment."""
        with torch.no_grad():
            self.map.classes.bias[slice(None) if classes is None else classes] = math.log(
                probability / (1 - probability)
            )


class BoundaryHead(nn.Module):
    """How likely each step is one kind of boundary."""

    def __init__(self, channels: int, *, groups: int) -> None:
        super().__init__()
        self.hidden = Conv(channels, channels, 3, groups=groups)
        self.output = Linear(channels, 1)

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C) -> (B, T) logits."""
        logits: Tensor = self.output(masked(F.relu(self.hidden(x)), valid)).squeeze(-1)
        return logits


class MapHead(nn.Module):
    """What each segment is, from its vector and those of the segments beside it on the map."""

    index: Tensor

    def __init__(self, in_channels: int, channels: int, cells: Cells, *, classes: int) -> None:
        super().__init__()
        self.rows, self.columns = cells.rows, cells.columns
        self.register_buffer("index", cells.index, persistent=False)
        self.narrow = Linear(in_channels, channels)
        self.convs = nn.ModuleList([nn.Conv2d(channels, channels, 3, padding=1) for _ in range(MAP_LAYERS)])
        self.overlap = Linear(channels, 1)
        self.classes = Linear(channels, classes)
        for conv in self.convs:
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B, V + 1, C) -> logits of overlaps (B, rows, columns) and of classes (B, rows, columns, K)."""
        image = self.placed(F.relu(self.narrow(x))).permute(0, 3, 1, 2)  # channels last, without a copy
        for conv in self.convs:
            image = F.relu(conv(image))
        x = image.permute(0, 2, 3, 1)
        return self.overlap(x).squeeze(-1), self.classes(x)

    def placed(self, x: Tensor) -> Tensor:
        """Vectors of V segments and last that of no segment, (B, V + 1, C) -> the map (B, rows, columns, C)."""
        nowhere = x[:, -1:].expand(-1, self.rows * self.columns, -1)
        return nowhere.index_copy(1, self.index, x[:, :-1]).view(len(x), self.rows, self.columns, -1)


def build_network(settings: BMNSettings, length: int) -> BMNNetwork:
    """A network for sequences of `length` features, with fresh weights drawn from torch's global generator.

    Raises:
        InputError: `input_dim` or `num_classes` is not set.
    """
    if settings.num_classes is None:
        raise InputError("model.num_classes is not set: give it, or let training count the classes of the annotations")
    width, channels = settings.width, settings.input_width
    reduced, sampled, on_map = settings.widths
    groups = math.gcd(settings.groups, width)
    rules = rules_of(settings)
    cells = cells_of(length, settings.longest(length), rules)
    return BMNNetwork(
        normalizer=FeatureNormalizer(channels),
        base=nn.ModuleList(
            [Conv(channels, width, 3, groups=math.gcd(groups, channels)), Conv(width, width, 3, groups=groups)]
        ),
        start=BoundaryHead(width, groups=groups),
        end=BoundaryHead(width, groups=groups),
        reduce=Conv(width, reduced, 3),
        matching=BoundaryMatching(reduced, sampled, cells, rules, bins=settings.bins, per_bin=settings.samples_per_bin),
        map=MapHead(sampled, on_map, cells, classes=settings.num_classes),
        exact=not rules.published,
    )
