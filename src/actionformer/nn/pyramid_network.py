"""The whole network of a single-stage detector: features -> embedding -> pyramid -> neck -> heads."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from actionformer.nn.heads import Head, OffsetActivation, TridentBoundary
from actionformer.nn.layers import Mask
from actionformer.nn.necks import Neck
from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.outputs import PyramidOutputs
from actionformer.nn.position import PositionEncoding
from actionformer.nn.pyramid import Embedding, Pyramid


class PyramidNetwork(Network):
    """Classifies every moment of every level and regresses its distances to the action's ends, without anchors.

    With transformer blocks this is ActionFormer (Zhang, Wu & Li, ECCV 2022, figure 2); detectors differ in their parts.
    """

    CLASS_ROWS = ("classifier.output.", "boundary.start.output.", "boundary.end.output.")
    FIRST_LAYER = ("normalizer.", "embedding.projections.", "embedding.convs.0.")

    def __init__(
        self,
        *,
        normalizer: FeatureNormalizer,
        embedding: Embedding,
        position: PositionEncoding | None,
        pyramid: Pyramid,
        neck: Neck,
        classifier: Head,
        regressor: Head,
        offset_activation: OffsetActivation,
        boundary: TridentBoundary | None = None,
    ) -> None:
        super().__init__()
        self.normalizer = normalizer
        self.embedding = embedding
        self.position = position
        self.pyramid = pyramid
        self.neck = neck
        self.classifier = classifier
        self.regressor = regressor
        self.offset_activation = offset_activation
        self.boundary = boundary

    def forward(self, features: Tensor, valid: Tensor | None = None) -> PyramidOutputs:
        """Features (B, T, D) and their mask (B, T) bool, without which all are valid -> `PyramidOutputs`."""
        x = self.embed(features, valid)
        levels, masks = self.pyramid(x, valid)
        inputs = self.neck(levels, masks)
        looked = [self.look(x, mask, level) for level, (x, mask) in enumerate(zip(inputs, masks, strict=True))]
        logits, offsets = (list(one) for one in zip(*looked, strict=True))
        valids = [_spelled_out(mask, x) for mask, x in zip(masks, levels, strict=True)]
        return PyramidOutputs(logits, offsets, valids, levels)

    def embed(self, features: Tensor, valid: Mask) -> Tensor:
        """Features (B, T, D) as the pyramid takes them, (B, T, C)."""
        x: Tensor = self.normalizer(features, valid).to(self.dtype)
        x = self.embedding(x, valid)
        if self.position is not None:
            x = self.position(x, valid)
        return x

    def look(self, x: Tensor, valid: Mask, level: int) -> tuple[Tensor, Tensor]:
        """One level (B, T_l, C) after the neck -> logits (B, T_l, K) and offsets (B, T_l, 2) or (B, T_l, K, 2)."""
        logits = self.classifier(x, valid)
        offsets = self.offset_activation(self.regressor(x, valid), level)
        return logits, offsets if self.boundary is None else self.boundary(x, offsets, valid)

    def with_neck(self, neck: Neck) -> PyramidNetwork:
        """The same network in eval mode, not a copy of its parts, with another neck."""
        parts = {name: getattr(self, name) for name, _ in self.named_children() if name != "neck"}
        return PyramidNetwork(**{"position": None, **parts}, neck=neck).eval()

    @property
    def head_radius(self) -> int:
        """Moments of its level on either side that a moment's outputs depend on, after the neck."""
        boundary = 0 if self.boundary is None else self.boundary.receptive_radius
        return max(self.classifier.receptive_radius, boundary)

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the classifier's bias give this probability, to all classes or to those listed.

        -log((1 - p) / p), as in "Focal loss for dense object detection", section 4.1.
        """
        heads = (
            [self.classifier] if self.boundary is None else [self.classifier, self.boundary.start, self.boundary.end]
        )
        with torch.no_grad():
            for bias in (head.output.bias for head in heads):
                assert bias is not None
                bias[slice(None) if classes is None else classes] = -math.log((1 - probability) / probability)


def _spelled_out(valid: Mask, x: Tensor) -> Tensor:
    """The mask (B, T) of x (B, T, C)."""
    return torch.ones(x.shape[:2], dtype=torch.bool, device=x.device) if valid is None else valid
