"""MUSES' network (Liu et al., CVPR 2021): features aggregated over shots, and heads that judge proposals by them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from actionformer.core.errors import InputError
from actionformer.detectors.muses.aggregation import TemporalAggregation
from actionformer.detectors.muses.regions import extended, extended_in_frames, region_maxima
from actionformer.detectors.muses.settings import MOST_STREAMS, MUSESSettings
from actionformer.nn.layers import Dropout, Linear, Mask, masked
from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer

DEVIATION = 0.001
"""Of the first weights of the last layers."""


class Judged(NamedTuple):
    """What a stream says of proposals (..., N)."""

    activity: Tensor
    """(..., N, 1 + K) that it shows the background or an action of a class, before the softmax."""
    completeness: Tensor
    """(..., N, K) how much of an action of the class it shows."""
    shifts: Tensor
    """(..., N, K, 2) how the action lies beside it: the shift of the centre in lengths of the proposal, and the
    logarithm of the ratio of lengths, both standardised by `mean` and `deviation`."""


class Outputs(NamedTuple):
    """What the network says of N proposals of each of B sequences, by S streams."""

    judged: Judged
    """(S, B, N, ...)"""
    mean: Tensor
    """(S, 2) of the shifts, over the training set."""
    deviation: Tensor
    """(S, 2) likewise."""
    proposals: Tensor
    """(B, N, 2) in grid steps."""
    there: Tensor
    """(B, N) False where a sequence has fewer proposals than others."""


class ClassHead(nn.Module):
    """Logits of background and classes, the background first."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.background, self.classes = Linear(width, 1), Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., 1 + K)."""
        return torch.cat((self.background(x), self.classes(x)), dim=-1)


class Stream(nn.Module):
    """The network of one source of features."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int, classes: int, settings: MUSESSettings) -> None:
        super().__init__()
        first, second, hidden = settings.widths
        self.bins, self.drawn = settings.bins, sum(settings.draws)
        self.layers = nn.ModuleList([TemporalAggregation(channels, first), TemporalAggregation(first, second)])
        self.own = Linear(second * self.bins // 2, hidden)
        self.dropout = Dropout(settings.dropout)
        self.whole = Linear(second * self.bins, hidden)
        self.activity = ClassHead(hidden, classes)
        self.completeness = Linear(hidden, classes)
        self.centre, self.length = Linear(hidden, classes), Linear(hidden, classes)
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("deviation", torch.ones(2))
        for last in (self.activity.background, self.activity.classes, self.completeness, self.centre, self.length):
            nn.init.normal_(last.weight, std=DEVIATION)

    def aggregated(self, x: Tensor, valid: Mask) -> Tensor:
        """Features (B, T, D) -> (B, T, C), 0 at padding."""
        for layer in self.layers:
            x = masked(F.relu(layer(x)), valid)
        return x

    def judge(self, pooled: Tensor) -> Judged:
        """What proposals with such bins (B, N, R, C) are: their own half tells the class, all bins the rest."""
        quarter = self.bins // 4
        own, whole = (part.transpose(-1, -2).flatten(-2) for part in (pooled[..., quarter:-quarter, :], pooled))
        own, whole = self._dropped(F.relu(self.own(own))), F.relu(self.whole(whole))
        shifts = torch.stack((self.centre(whole), self.length(whole)), dim=-1)
        return Judged(self.activity(own), self.completeness(whole), shifts)

    def _dropped(self, x: Tensor) -> Tensor:
        """Dropout of (B, N, C), whose numbers are drawn for as many proposals as training draws, of which N are there.

        So they do not depend on N, the most that one of the sequences has that are computed together.
        """
        if not self.training:
            return x
        dropped: Tensor = self.dropout(F.pad(x, (0, 0, 0, max(self.drawn - x.shape[1], 0))))
        return dropped[:, : x.shape[1]]


class MUSESNetwork(Network):
    """See `forward`."""

    CLASS_ROWS = tuple(
        f"streams.{stream}.{head}." for stream in range(MOST_STREAMS)
        for head in ("activity.classes", "completeness", "centre", "length")
    )  # fmt: skip
    FIRST_LAYER = ("normalizer.", *(f"streams.{stream}.layers.0." for stream in range(MOST_STREAMS)))

    def __init__(self, settings: MUSESSettings) -> None:
        super().__init__()
        classes = settings.num_classes
        if classes is None:
            raise InputError("model.num_classes is not set: give it, or let training count the classes")
        self.settings = settings
        self.normalizer = FeatureNormalizer(settings.input_width)
        self.streams = nn.ModuleList([Stream(channels, classes, settings) for channels in settings.sources])

    def forward(
        self,
        features: Tensor,
        valid: Mask = None,
        proposals: Sequence[Tensor] = (),
        frames: Tensor | None = None,
    ) -> Outputs:
        """What the proposals of some sequences show.

        Args:
            features: (B, T, D).
            valid: (B, T) bool, False at padding.
            proposals: of each sequence (N, 2) in grid steps; N may differ and may be 0.
            frames: (B,) of each video, where `model.whole_frames` is set; by default one feature more than there are,
                as clips are two features long.
        """
        x = self.normalizer(features, valid).to(self.dtype)
        lengths = torch.full((len(x),), x.shape[1], device=x.device) if valid is None else valid.sum(1)
        segments, there = together(proposals)
        regions = self.regions(segments, lengths, frames)
        judged: list[Judged] = []
        for stream, source in zip(self.streams, x.split(self.settings.sources, dim=-1), strict=True):
            assert isinstance(stream, Stream)
            aggregated = stream.aggregated(source, valid)
            judged.append(stream.judge(region_maxima(aggregated, regions, lengths, self.settings.bins)))
        return Outputs(
            judged=Judged(*(torch.stack(part) for part in zip(*judged, strict=True))),
            mean=torch.stack([stream.get_buffer("mean") for stream in self.streams]),
            deviation=torch.stack([stream.get_buffer("deviation") for stream in self.streams]),
            proposals=segments,
            there=there,
        )

    def regions(self, proposals: Tensor, lengths: Tensor, frames: Tensor | None = None) -> Tensor:
        """(B, N, 2) what proposals (B, N, 2) are judged by, in features from where their sequence begins."""
        per_feature = self.settings.whole_frames
        if per_feature is None:
            return extended(proposals, lengths)
        frames = (lengths + 1) * per_feature if frames is None else frames
        return extended_in_frames(proposals, frames, per_feature, training=self.training)

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the fresh heads give this probability, beside the background, to all classes or to those listed."""
        with torch.no_grad():
            for stream in self.streams:
                bias = stream.get_parameter("activity.classes.bias")
                bias[slice(None) if classes is None else classes] = math.log(probability / (1 - probability))

    @torch.no_grad()
    def standardise(self, mean: Tensor, deviation: Tensor) -> None:
        """Keeps what the shifts that are learned are standardised by, (2,) each."""
        for stream in self.streams:
            stream.get_buffer("mean").copy_(mean)
            stream.get_buffer("deviation").copy_(deviation)


def together(proposals: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Those of all sequences (B, N, 2), and (B, N) which are there."""
    counts = torch.tensor([len(one) for one in proposals])
    segments = pad_sequence(list(proposals), batch_first=True)
    there = torch.arange(segments.shape[1]) < counts[:, None]
    return segments, there.to(segments.device)
