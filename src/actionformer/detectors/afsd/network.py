"""AFSD's network: a pyramid with coarse segments at every moment, each looked at again where it begins and ends."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.afsd.layers import Proposals, Stage, Stages, boundary_probabilities
from actionformer.detectors.afsd.pooling import boundary_maxima, boundary_regions
from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.nn.layers import Conv, Linear, Mask, every, masked
from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer

DEVIATION = 0.01
"""Of the first weights of all heads."""
TOWER = 2
"""Convolutions of a head before its last."""


class Outputs(NamedTuple):
    """What the network says of B sequences, at the M moments of all levels, the finest first."""

    distances: Tensor
    """(B, M, 2) of the coarse segments' starts and ends from their moment, in frames."""
    logits: Tensor
    """(B, M, 1 + K) that the moment belongs to the background or to an action of a class, before the softmax."""
    shifts: Tensor
    """(B, M, 2) what is added to distances, in halves of the coarse segment's length."""
    refined_logits: Tensor
    """(B, M, 1 + K) the same of the segment, after a second look."""
    center: Tensor
    """(B, M) how well the refined segment fits: the sigmoid is its tIoU."""
    frame_boundaries: Tensor
    """(B, N, 2) how much each frame looks like a start and an end, in [0, 1]."""
    boundaries: Tensor
    """(2, B, T, 2) the same of level 0, of the branches of segments and of classes."""
    valid: Mask
    """(B, M) moments that count; None where all do."""


class Coarse(NamedTuple):
    """What the coarse heads say of one level."""

    location: Tensor
    """(B, T_l, C) features that segments are found in."""
    category: Tensor
    """(B, T_l, C) features that classes are found in."""
    distances: Tensor
    """(B, T_l, 2) in frames."""
    logits: Tensor
    """(B, T_l, 1 + K)"""


class ClassHead(nn.Module):
    """Logits of background and classes, the background first."""

    def __init__(self, width: int, classes: int, *, kernel: int) -> None:
        super().__init__()
        self.background, self.classes = (
            Linear(width, count) if kernel == 1 else Conv(width, count, kernel) for count in (1, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, 1 + K)."""
        return torch.cat((self.background(x), self.classes(x)), dim=-1)


class AFSDNetwork(Network):
    """See `forward`."""

    CLASS_ROWS = ("coarse_classes.classes.", "refined_classes.classes.")
    FIRST_LAYER = ("normalizer.", "pyramid.0.")

    def __init__(self, settings: AFSDSettings) -> None:
        super().__init__()
        width, classes = settings.width, settings.num_classes
        if classes is None:
            raise InputError("model.num_classes is not set: give it, or let training count the classes")
        self.settings = settings
        self.exact = exact = settings.mask_padding == "exact"
        self.normalizer = FeatureNormalizer(settings.input_width)
        self.pyramid = nn.ModuleList(
            [
                Stage(settings.input_width, width, 1, exact=exact),
                *(Stage(width, width, 3, stride=2, exact=exact) for _ in range(settings.levels - 1)),
            ]
        )
        self.frame = Stages([Stage(width, width, kernel, exact=exact) for kernel in (3, 3, 1)])
        self.location = Stages([Stage(width, width, 3, exact=exact) for _ in range(TOWER)])
        self.category = Stages([Stage(width, width, 3, exact=exact) for _ in range(TOWER)])
        self.distances = Conv(width, 2, 3)
        self.scales = nn.ParameterList([torch.ones(1) for _ in range(settings.levels)])
        self.coarse_classes = ClassHead(width, classes, kernel=3)
        self.location_proposals = Proposals(width, exact=exact)
        self.category_proposals = Proposals(width, exact=exact)
        self.shifts = Linear(width, 2)
        self.refined_classes = ClassHead(width, classes, kernel=1)
        self.center = Conv(width, 1, 3)
        self._draw()

    def _draw(self) -> None:
        """First weights as published: Glorot's in the pyramid and the frame feature, small ones in all heads."""
        for name, weight in self.named_parameters():
            if name.rpartition(".")[2] == "weight" and weight.ndim > 1:
                if name.startswith(("pyramid.", "frame.")):
                    nn.init.xavier_uniform_(weight.transpose(1, -1))  # fans count channels times moments
                else:
                    nn.init.normal_(weight, std=DEVIATION)

    def forward(self, features: Tensor, valid: Mask = None) -> Outputs:
        """Features (B, T, D) and their mask (B, T) bool, without which all are valid -> outputs.

        T is a multiple of the stride of the last level, so that each level has half of the moments of the one before.
        """
        levels, masks = self.levels(features, valid)
        seen: list[Mask] = masks if self.exact else [None] * len(levels)
        frame, frame_mask = self.frame_feature(levels[0], seen[0])
        coarse = [self.coarse(x, level, mask) for level, (x, mask) in enumerate(zip(levels, seen, strict=True))]
        on_level, on_frames = self.regions([one.distances for one in coarse])
        around = boundary_maxima(frame, torch.cat(on_frames, dim=1), _lengths(frame, frame_mask))
        rows: list[tuple[Tensor, ...]] = []
        boundaries: list[Tensor] = []
        parts = zip(coarse, around.split([x.shape[1] for x in levels], dim=1), on_level, seen, strict=True)
        for one, own, regions, mask in parts:
            shared = own, regions, _lengths(own, mask), mask
            location, of_location = self.location_proposals(one.location, *shared)
            category, of_category = self.category_proposals(one.category, *shared)
            refined = self.shifts(location), self.refined_classes(category), self.center(location)[..., 0]
            rows.append((one.distances, one.logits, *refined))
            boundaries += [of_location, of_category]
        distances, logits, shifts, refined_logits, center = (torch.cat(one, dim=1) for one in zip(*rows, strict=True))
        return Outputs(
            distances=distances,
            logits=logits,
            shifts=shifts,
            refined_logits=refined_logits,
            center=center,
            frame_boundaries=boundary_probabilities(frame),
            boundaries=torch.stack([boundary_probabilities(one) for one in boundaries[:2]]),
            valid=None if not self.exact or valid is None else torch.cat([m for m in masks if m is not None], dim=1),
        )

    def levels(self, features: Tensor, valid: Mask) -> tuple[list[Tensor], list[Mask]]:
        """Features (B, T, D) -> of every level its features (B, T_l, C) and its mask."""
        x, mask = self.normalizer(features, valid).to(self.dtype), valid
        levels, masks = [], []
        for level, stage in enumerate(self.pyramid):
            mask = every(2, mask) if level else mask
            x = masked(stage(x, mask), mask)
            levels.append(x)
            masks.append(mask)
        return levels, masks

    def frame_feature(self, x: Tensor, valid: Mask) -> tuple[Tensor, Mask]:
        """Level 0 (B, T, C), some times denser, (B, N, C), and its mask."""
        count = self.settings.frames_per_feature
        mask = None if valid is None else valid.repeat_interleave(count, dim=1)
        dense: Tensor = self.frame(x.repeat_interleave(count, dim=1), mask)
        return dense, mask

    def coarse(self, x: Tensor, level: int, valid: Mask) -> Coarse:
        """What the heads, which all levels share, say of a level's features (B, T_l, C)."""
        location, category = self.location(x, valid), self.category(x, valid)
        distances = (self.scales[level] * self.distances(location).float()).exp() * self.settings.units[level]
        return Coarse(location, category, distances, self.coarse_classes(category))

    @torch.no_grad()
    def regions(self, distances: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Where boundaries of coarse segments are looked for, of each level (B, T_l, 4): in its moments, in frames."""
        on_level, on_frames = [], []
        for own, stride in zip(distances, self.settings.strides, strict=True):
            frames = stride * self.settings.frames_per_feature
            at = torch.arange(own.shape[1], device=own.device)
            left, right = own.unbind(-1)
            here = (at + 0.5) * frames
            on_frames.append(boundary_regions(here - left, here + right, left + right + 1))
            left, right = left / frames, right / frames
            on_level.append(boundary_regions(at - left, at + right, left + right))
        return on_level, on_frames

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the fresh heads give this probability, beside the background, to all classes or to those listed."""
        with torch.no_grad():
            for head in (self.coarse_classes, self.refined_classes):
                bias = head.classes.bias
                assert isinstance(bias, Tensor)
                bias[slice(None) if classes is None else classes] = math.log(probability / (1 - probability))


def moments(length: int, settings: AFSDSettings) -> Tensor:
    """(M,) where the moments of all levels of a sequence of `length` features lie, in frames from its beginning."""
    strides = (stride * settings.frames_per_feature for stride in settings.strides)
    counts = (length // stride for stride in settings.strides)
    return torch.cat([(torch.arange(count) + 0.5) * stride for count, stride in zip(counts, strides, strict=True)])


def _lengths(x: Tensor, valid: Mask) -> Tensor:
    """(B,) moments of each sequence before padding."""
    if valid is None:
        return torch.full((len(x),), x.shape[1], device=x.device)
    return valid.sum(1)
