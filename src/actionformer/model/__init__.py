"""The network: features (B, T, D) -> scores and distances of every moment of every level. Knows tensors only."""

from actionformer.model.actionformer import ActionFormer, Outputs
from actionformer.model.build import build_model

__all__ = ["ActionFormer", "Outputs", "build_model"]
