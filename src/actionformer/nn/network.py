"""What every detector's network is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from actionformer.nn.normalizer import FeatureNormalizer


class Network(nn.Module, ABC):
    """Features (B, T, D) and their mask (B, T) -> outputs, which the detector's own loss and decoder understand."""

    normalizer: FeatureNormalizer
    CLASS_ROWS: ClassVar[tuple[str, ...]] = ()
    """Beginnings of the names of weights that have a row per class: another model's rows are found by class name."""
    FIRST_LAYER: ClassVar[tuple[str, ...]] = ()
    """Beginnings of the names of weights that depend on the input's width."""

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return next(self.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.normalizer.mean.device

    @abstractmethod
    def forward(self, features: Tensor, valid: Tensor | None = None) -> Any:
        """Features (B, T, D) and their mask (B, T) bool, without which all are valid -> outputs."""

    @abstractmethod
    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the fresh classifier give this probability, to all classes or to those listed."""
