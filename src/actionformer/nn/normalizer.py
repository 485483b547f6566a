"""Normalisation of features by what was measured on the training set."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from actionformer.nn.layers import Mask, masked


class FeatureNormalizer(nn.Module):
    """(x - mean) / deviation per channel, both measured on the training features and kept with the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, D) -> (B, T, D), 0 at padding."""
        return masked((x - self.mean).div_(self.deviation), valid)
