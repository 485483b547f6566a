"""Which classes occur in a video, by multiple-instance pooling: a linear layer over features, and the best moments."""

from __future__ import annotations

from torch import Tensor, nn

from actionformer.nn.normalizer import FeatureNormalizer

BEST = 8
"""One moment in so many counts, of each class those that look most like it (W-TALC, Paul et al., ECCV 2018)."""


class VideoClassifier(nn.Module):
    """Says of each class whether a video has it, without knowing where.

    Args:
        width: D, channels of the features.
        classes: K, of which a video may have any number.
    """

    def __init__(self, *, width: int, classes: int) -> None:
        super().__init__()
        self.normalizer = FeatureNormalizer(width)
        self.linear = nn.Linear(width, classes)

    def forward(self, features: Tensor) -> Tensor:
        """Features of one whole video (T, D) -> logits (K,)."""
        return pooled(self.moments(features))

    def moments(self, features: Tensor) -> Tensor:
        """(T, D) -> logits of every moment (T, K)."""
        logits: Tensor = self.linear(self.normalizer(features, None))
        return logits


def pooled(logits: Tensor) -> Tensor:
    """Logits of moments (T, K) -> of their video (K,): per class the mean of its floor(T / 8) best, of one at least."""
    return logits.topk(max(1, len(logits) // BEST), dim=0).values.mean(0)
