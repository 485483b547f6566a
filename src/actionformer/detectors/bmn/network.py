"""BMN's network (Lin et al., ICCV 2019, section 4.2): where actions start and end, and a map of all segments."""

from __future__ import annotations

import math

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.bmn.matching import BoundaryMatching
from actionformer.detectors.bmn.rules import rules_of
from actionformer.detectors.bmn.settings import MAP_LAYERS, BMNSettings
from actionformer.nn.layers import Conv, Linear, Mask, masked
from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.segment_map.cells import cells_of
from actionformer.nn.segment_map.head import MapHead
from actionformer.nn.segment_map.outputs import MapOutputs


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

    def forward(self, features: Tensor, valid: Tensor | None = None) -> MapOutputs:
        """Features (B, T, D) and their mask (B, T) bool, without which all are valid; T is always the same."""
        x = self.normalizer(features, valid).to(self.dtype)
        for conv in self.base:
            x = masked(F.relu(conv(x)), valid)  # (B, T, C)
        seen = valid if self.exact else None
        sampled = masked(F.relu(self.reduce(x)), seen)
        overlap, classes = self.map(self.matching(sampled))
        return MapOutputs(self.start(x, seen), self.end(x, seen), overlap, classes, seen)

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the fresh classifier give this probability to every segment."""
        self.map.set_class_prior(probability, classes)


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
        map=MapHead(sampled, on_map, cells, classes=settings.num_classes, kernels=(3,) * MAP_LAYERS),
        exact=not rules.published,
    )
