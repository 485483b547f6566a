"""Settings of TadTR's network and of what it learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from actionformer.settings.model import WIDEST, ModelSettings, listed

GROUPS = 32
"""Of the GroupNorm after the projection of the features."""


class TadTRSettings(ModelSettings):
    """TadTR's network, and what its losses weigh. Widths are channels."""

    PUBLISHED: ClassVar[Mapping[str, Any]] = {"mask_padding": "published"}
    USUAL: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "training": {"learning_rate": 5e-4, "weight_decay": 1e-4, "gradient_clip": 0.1},
        "suppression": {"method": "none", "window_tiou": 0.4},
    }
    detector: Literal["tadtr"] = "tadtr"
    """Which detector."""
    width: int = Field(256, ge=1, le=WIDEST)
    """Channels of the transformer."""
    num_queries: int = Field(40, ge=1, le=10_000)
    """Actions that can be found in a sequence, whatever their class: more than any training sequence has."""
    num_heads: int = Field(8, ge=1, le=256)
    """Heads of every attention."""
    num_points: int = Field(4, ge=1, le=64)
    """Places that each head of a deformable attention looks at."""
    encoder_layers: int = Field(4, ge=1, le=64)
    """Layers in which features look at features."""
    decoder_layers: int = Field(4, ge=1, le=64)
    """Layers in which queries look at one another and at features; each refines the segments of the one before."""
    mlp_width: int = Field(1024, ge=1, le=WIDEST)
    """Hidden channels of a layer's MLP."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout after attention and in MLPs."""
    roi_bins: int = Field(16, ge=1, le=256)
    """Bins in which actionness sees the features of a segment."""
    roi_extent: float = Field(1.5, ge=1, le=10)
    """Actionness sees this many times a segment's length, around its centre."""
    class_prior: float = Field(0.01, gt=0, lt=1)
    """Probability that the classifier gives every class before training."""
    mask_padding: Literal["exact", "published"] = "exact"
    """`exact`: padding never changes a result; `published`: it counts in the norm and in the length of a sequence."""
    class_weight: float = Field(2.0, ge=0, le=1e6)
    """Weight of the focal loss of classes."""
    segment_weight: float = Field(5.0, ge=0, le=1e6)
    """Weight of the L1 loss of centres and widths."""
    iou_weight: float = Field(2.0, ge=0, le=1e6)
    """Weight of the IoU loss of segments."""
    actionness_weight: float = Field(4.0, ge=0, le=1e6)
    """Weight of the L1 loss of actionness."""
    actionness_target: Literal["sequence", "batch"] = "sequence"
    """Actionness learns the best IoU with an action of its own sequence or, as published, of any in the batch."""

    @model_validator(mode="after")
    def _consistent(self) -> TadTRSettings:
        if self.width % GROUPS or self.width % self.num_heads:
            raise ValueError(f"width must be a multiple of {GROUPS} and of num_heads, found {self.width}")
        self._check_input()
        self._check_size()
        return self

    @property
    def rough_size(self) -> float:
        """Weights of the network, nearly."""
        width, points = self.width, self.num_heads * self.num_points
        deformable, mlp = 2 * width * (width + points), 2 * width * self.mlp_width
        encoder = self.encoder_layers * (deformable + mlp)
        heads = 2 * width**2 + width * (self.num_classes or 0)
        decoder = self.decoder_layers * (4 * width**2 + deformable + mlp + heads)
        actionness = width**2 * (self.roi_bins + 1)
        return sum(listed(self.input_dim)) * width + encoder + decoder + actionness + 2 * self.num_queries * width

    @property
    def layer_inputs(self) -> int:
        """Inputs of a layer of the transformer."""
        return self.width
