"""G-TAD's network (Xu et al., CVPR 2020): a graph over features, where actions start and end, a map of all segments."""

from __future__ import annotations

import math

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.gtad.alignment import GraphAlign
from actionformer.detectors.gtad.graph import GraphBlock, gathered, nearest
from actionformer.detectors.gtad.rules import rules_of
from actionformer.detectors.gtad.settings import MAP_LAYERS, GTADSettings
from actionformer.nn.layers import Conv, Linear, Mask, masked
from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.segment_map.cells import cells_of
from actionformer.nn.segment_map.head import MapHead
from actionformer.nn.segment_map.outputs import MapOutputs
from actionformer.nn.segment_map.rules import Rules


class GTADNetwork(Network):
    """Features -> starts, ends and the map of segments.

    With exact rules padding is left out everywhere. Published code keeps it out of the first block alone, or of none.
    """

    CLASS_ROWS = ("map.classes.",)
    FIRST_LAYER = ("normalizer.", "base.")

    def __init__(
        self,
        *,
        normalizer: FeatureNormalizer,
        base: Conv,
        graph: GraphBlock,
        start: BoundaryHead,
        end: BoundaryHead,
        context: GraphBlock,
        align: GraphAlign,
        map: MapHead,
        rules: Rules,
    ) -> None:
        super().__init__()
        self.rules = rules
        self.normalizer = normalizer
        self.base = base
        self.graph = graph
        self.start, self.end = start, end
        self.context = context
        self.align = align
        self.map = map

    def forward(self, features: Tensor, valid: Tensor | None = None) -> MapOutputs:
        """Features (B, T, D) and their mask (B, T) bool, without which all are valid; T is always the same."""
        seen = None if self.rules.published else valid
        x = self.normalizer(features, valid).to(self.dtype)
        x = masked(F.relu(self.base(x)), valid)  # (B, T, C)
        x = masked(self.graph(x, seen), valid)
        context = self.context(x, seen)
        overlap, classes = self.map(self.align(*self.sources(context, seen)))
        return MapOutputs(self.start(x, seen), self.end(x, seen), overlap, classes, seen)

    def sources(self, context: Tensor, valid: Mask) -> tuple[Tensor, Tensor]:
        """Features (B, T, C) -> what segments are sampled from: these, and the mean of those most like each."""
        sources = context, gathered(context, nearest(context, valid, self.context.neighbors)).mean(2)
        if self.rules.half_precision:
            return sources[0].half().to(context.dtype), sources[1].half().to(context.dtype)
        return sources

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the fresh classifier give this probability to every segment."""
        self.map.set_class_prior(probability, classes)


class BoundaryHead(nn.Module):
    """How likely each step is one kind of boundary."""

    def __init__(self, graph: GraphBlock, channels: int) -> None:
        super().__init__()
        self.graph = graph
        self.output = Linear(channels, 1)

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C) -> (B, T) logits."""
        logits: Tensor = self.output(self.graph(x, valid)).squeeze(-1)
        return logits


def build_network(settings: GTADSettings, length: int) -> GTADNetwork:
    """A network for sequences of `length` features, with fresh weights drawn from torch's global generator.

    Raises:
        InputError: `input_dim` or `num_classes` is not set.
    """
    if settings.num_classes is None:
        raise InputError("model.num_classes is not set: give it, or let training count the classes of the annotations")
    width, channels = settings.width, settings.input_width
    inside, sampled, on_map = settings.widths
    rules = rules_of(settings)
    cells = cells_of(length, settings.longest(length), rules)
    narrow, kernel = settings.narrows_first, settings.map_kernel
    return GTADNetwork(
        normalizer=FeatureNormalizer(channels),
        base=Conv(channels, width, 3, groups=math.gcd(settings.groups, math.gcd(channels, width))),
        graph=_block(settings, inside),
        start=BoundaryHead(_block(settings, inside), width),
        end=BoundaryHead(_block(settings, inside), width),
        context=_block(settings, inside),
        align=GraphAlign(width, sampled, cells, rules, bins=(settings.bins, settings.neighbor_bins)),
        map=MapHead(
            sampled,
            on_map,
            cells,
            classes=settings.num_classes,
            kernels=(kernel,) * (MAP_LAYERS + (not narrow)),
            narrow=narrow,
        ),
        rules=rules,
    )


def _block(settings: GTADSettings, inside: int) -> GraphBlock:
    groups = math.gcd(settings.graph_groups, inside)
    return GraphBlock(settings.width, inside, groups=groups, neighbors=settings.num_neighbors)
