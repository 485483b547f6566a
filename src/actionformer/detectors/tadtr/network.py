"""TadTR's network: features -> memory -> a fixed number of queries, each with classes, a segment and its actionness."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.tadtr.attention import DeformableAttention
from actionformer.detectors.tadtr.settings import GROUPS, TadTRSettings
from actionformer.detectors.tadtr.transformer import DecoderLayer, EncoderLayer, Perceptron
from actionformer.nn.layers import GroupNorm, Linear, Mask
from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.roi_align import roi_align

FIRST_WIDTH = -2.0
"""The logit of a segment's first width, 12% of the sequence."""
NEAREST = 1e-5
"""Shares are moved so far from 0 and 1 before their logits are taken."""


class Outputs(NamedTuple):
    """What L decoder layers say of the Q queries of B sequences."""

    logits: Tensor
    """(L, B, Q, K)"""
    segments: Tensor
    """(L, B, Q, 2) centres and widths, as shares of the sequence."""
    actionness: Tensor
    """(B, Q) how well the last layer's segments fit an action, from 0 to 1."""
    spans: Tensor
    """(B,) the steps that a share of 1 stands for."""


class TadTRNetwork(Network):
    """See `forward`."""

    CLASS_ROWS = ("classifiers.",)
    FIRST_LAYER = ("normalizer.", "projection.")

    def __init__(self, settings: TadTRSettings) -> None:
        super().__init__()
        width, classes = settings.width, settings.num_classes
        if classes is None:
            raise InputError("model.num_classes is not set: give it, or let training count the classes")
        self.settings = settings
        self.exact = settings.mask_padding == "exact"
        self.normalizer = FeatureNormalizer(settings.input_width)
        self.projection = Linear(settings.input_width, width)
        self.projection_norm = GroupNorm(width, groups=GROUPS, exact=self.exact)
        self.level = nn.Parameter(torch.randn(1, width))
        self.encoder = nn.ModuleList([EncoderLayer(settings) for _ in range(settings.encoder_layers)])
        self.queries = nn.Parameter(torch.randn(settings.num_queries, 2 * width))
        self.first_point = Linear(width, 1)
        self.decoder = nn.ModuleList([DecoderLayer(settings) for _ in range(settings.decoder_layers)])
        self.classifiers = nn.ModuleList([Linear(width, classes) for _ in self.decoder])
        self.refiners = nn.ModuleList([Perceptron(width, width, width, 2) for _ in self.decoder])
        self.actionness = Perceptron(width * settings.roi_bins, width, width, 1)
        self._draw()
        self.set_class_prior(settings.class_prior)

    def _draw(self) -> None:
        """First weights as published: Xavier's for what the transformer multiplies by, no segment is moved at first."""
        for part in (self.encoder, self.decoder, self.first_point, self.projection):
            for parameter in part.parameters():
                if parameter.ndim > 1:
                    nn.init.xavier_uniform_(parameter)
        for module in self.modules():
            if isinstance(module, DeformableAttention):
                module.reset()
        for layer, refiner in enumerate(self.refiners):
            assert isinstance(refiner, Perceptron)
            nn.init.zeros_(refiner.last.weight)
            if layer == 0:
                nn.init.constant_(refiner.last.bias[1:], FIRST_WIDTH)

    def forward(self, features: Tensor, valid: Mask = None) -> Outputs:
        """Features (B, T, D) and their mask (B, T) bool, without which all are valid -> outputs."""
        lengths = _lengths(features, valid)
        memory = self.encode(features, lengths, valid)
        logits, segments = self.decode(memory, lengths, valid)
        spans = lengths if self.exact else torch.full_like(lengths, features.shape[1])
        return Outputs(logits, segments, self.judge(memory, segments[-1].detach(), spans), spans)

    def encode(self, features: Tensor, lengths: Tensor, valid: Mask) -> Tensor:
        """Features (B, T, D) as queries see them, (B, T, C)."""
        x = self.project(features, valid)
        position = self.position(x, lengths, valid)
        here = (torch.arange(x.shape[1], device=x.device) + 0.5) / lengths[:, None]
        for layer in self.encoder:
            x = layer(x, position, here[..., None], lengths, valid)
        return x

    def project(self, features: Tensor, valid: Mask) -> Tensor:
        """Features (B, T, D) in the width of the transformer, normed."""
        x = self.projection(self.normalizer(features, valid).to(self.dtype))
        y: Tensor = self.projection_norm(x, valid)
        return y

    def position(self, x: Tensor, lengths: Tensor, valid: Mask) -> Tensor:
        """(B or 1, T, C) sines and cosines of how much of its sequence has passed with each feature."""
        passed = (
            torch.arange(1, x.shape[1] + 1, device=x.device).expand(x.shape[:2]) if valid is None else valid.cumsum(1)
        )
        turn = passed / (lengths[:, None] + 1e-6) * 2 * math.pi
        pairs = torch.arange(self.settings.width, device=x.device) // 2
        angle = turn[..., None] / 10000 ** (2 * pairs / self.settings.width)
        waves = torch.stack((angle[..., 0::2].sin(), angle[..., 1::2].cos()), dim=-1).flatten(-2)
        return waves.to(x.dtype) + self.level

    def decode(self, memory: Tensor, lengths: Tensor, valid: Mask) -> tuple[Tensor, Tensor]:
        """Logits (L, B, Q, K) and segments (L, B, Q, 2) after every layer; each layer begins where the last one ended.

        Segments are refined, and no gradient goes from one layer's to the next.
        """
        position, x = self.queries.expand(len(memory), -1, -1).chunk(2, dim=-1)
        reference = self.first_point(position).float().sigmoid()
        start = torch.cat((logit(reference), torch.zeros_like(reference)), dim=-1)
        logits, segments = [], []
        for layer, classifier, refiner in zip(self.decoder, self.classifiers, self.refiners, strict=True):
            x = layer(x, position, memory, reference, lengths, valid)
            segment = (start + refiner(x).float()).sigmoid()
            logits.append(classifier(x))
            segments.append(segment)
            reference = segment.detach()
            start = logit(reference)
        return torch.stack(logits), torch.stack(segments)

    def judge(self, memory: Tensor, segments: Tensor, spans: Tensor) -> Tensor:
        """(B, Q) actionness of segments (B, Q, 2), from the features of each and its surroundings."""
        regions = self.regions(segments, spans)
        longest = memory.shape[1]
        seen = roi_align(memory, regions, bins=self.settings.roi_bins, longest=longest, lengths=spans)
        judged: Tensor = self.actionness(seen.transpose(-1, -2).flatten(-2))
        return judged[..., 0].sigmoid()

    def regions(self, segments: Tensor, spans: Tensor) -> Tensor:
        """(B, Q, 2) starts and ends in steps of what actionness sees of segments."""
        centre, width = segments.unbind(-1)
        half = width * self.settings.roi_extent / 2
        steps = spans[:, None, None]
        return torch.minimum(torch.stack((centre - half, centre + half), dim=-1).mul(steps).clamp(min=0), steps)

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the classifiers' biases give this probability, to all classes or to those listed."""
        with torch.no_grad():
            for classifier in self.classifiers:
                assert isinstance(classifier, Linear)
                classifier.bias[slice(None) if classes is None else classes] = -math.log(
                    (1 - probability) / probability
                )


def logit(share: Tensor) -> Tensor:
    """The logit of a share, which is moved a little way off 0 and 1."""
    return (share.clamp(min=NEAREST) / (1 - share).clamp(min=NEAREST)).log()


def _lengths(features: Tensor, valid: Mask) -> Tensor:
    """(B,) float32 features of each sequence before padding."""
    if valid is None:
        return torch.full((len(features),), float(features.shape[1]), device=features.device)
    return valid.sum(1).float()
