"""The whole network: features -> embedding -> pyramid -> neck -> heads."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from actionformer.data.augmentation import FeatureJitter, SensorRotation
from actionformer.nn.heads import Head, OffsetActivation
from actionformer.nn.layers import Mask, masked
from actionformer.nn.position import PositionEncoding
from actionformer.nn.pyramid import Embedding, FeaturePyramidNeck, IdentityNeck, Pyramid


class Outputs(NamedTuple):
    """What the network says, a list over levels; T_l = ceil(T / stride_l)."""

    logits: list[Tensor]
    """(B, T_l, K) class scores before the sigmoid, 0 at padding."""
    offsets: list[Tensor]
    """(B, T_l, 2) distances to the action's start and end, in strides of the level."""
    valid: list[Tensor]
    """(B, T_l) bool."""
    pyramid: list[Tensor]
    """(B, T_l, C) the pyramid before the neck."""


class ActionFormer(nn.Module):
    """Single-stage, anchor-free temporal action localization (Zhang, Wu & Li, ECCV 2022)."""

    def __init__(
        self,
        *,
        rotation: SensorRotation | nn.Identity,
        normalizer: FeatureNormalizer,
        jitter: FeatureJitter,
        embedding: Embedding,
        position: PositionEncoding | None,
        pyramid: Pyramid,
        neck: IdentityNeck | FeaturePyramidNeck,
        classifier: Head,
        regressor: Head,
        offset_activation: OffsetActivation,
    ) -> None:
        super().__init__()
        self.rotation = rotation
        self.normalizer = normalizer
        self.jitter = jitter
        self.embedding = embedding
        self.position = position
        self.pyramid = pyramid
        self.neck = neck
        self.classifier = classifier
        self.regressor = regressor
        self.offset_activation = offset_activation

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        dtype: torch.dtype = self.offset_activation.scales[0].dtype
        return dtype

    def forward(self, features: Tensor, valid: Tensor | None = None) -> Outputs:
        """Features (B, T, D) and their mask (B, T) bool, without which all are valid -> `Outputs`."""
        x = self.embed(features, valid)
        levels, masks = self.pyramid(x, valid)
        inputs = self.neck(levels, masks)
        logits = [self.classifier(x, mask) for x, mask in zip(inputs, masks, strict=True)]
        distances = [self.regressor(x, mask) for x, mask in zip(inputs, masks, strict=True)]
        offsets = [self.offset_activation(x, level) for level, x in enumerate(distances)]
        return Outputs(logits, offsets, [_spelled_out(mask, x) for mask, x in zip(masks, levels, strict=True)], levels)

    def embed(self, features: Tensor, valid: Mask) -> Tensor:
        """Features (B, T, D) as the pyramid takes them, (B, T, C)."""
        x: Tensor = self.normalizer(self.rotation(features), valid).to(self.dtype)
        x = self.jitter(x, valid)
        x = self.embedding(x, valid)
        if self.position is not None:
            x = self.position(x, valid)
        return x


def _spelled_out(valid: Mask, x: Tensor) -> Tensor:
    """The mask (B, T) of x (B, T, C)."""
    return torch.ones(x.shape[:2], dtype=torch.bool, device=x.device) if valid is None else valid


class FeatureNormalizer(nn.Module):
    """(x - mean) / deviation a channel, both measured on the training features and kept with the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, D) -> (B, T, D), 0 at padding."""
        return masked((x - self.mean).div_(self.deviation), valid)
