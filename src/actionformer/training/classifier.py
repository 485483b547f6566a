"""Training of the classifier of whole videos: a convex layer under a maximum, which takes no settings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.data.statistics import FeatureStatistics
from actionformer.features import FeatureReader
from actionformer.nn.video_classifier import VideoClassifier

PASSES = 60
"""Most passes over all videos."""


def train_classifier(
    videos: Sequence[tuple[FeatureReader, Sequence[int]]],
    classes: int,
    statistics: FeatureStatistics,
    *,
    seed: int = 0,
    device: str = "cpu",
) -> VideoClassifier:
    """Learns which classes videos have, from their features alone.

    Minimises (sum over videos and classes of the binary cross-entropy + |W|^2 / 2) / N, as logistic regression with
    C = 1 does, by L-BFGS: no rate, no batches, one video in memory at a time.

    Args:
        videos: N times features (T, D) and the labels of the video's actions, none where it has no action.
        classes: K.
        statistics: of these features, by which they are normalised.
        seed: of the weights to start from.
        device: where to compute.
    """
    torch.manual_seed(seed)
    classifier = VideoClassifier(width=videos[0][0].shape[1], classes=classes)
    mean, deviation = statistics.mean_and_deviation()
    classifier.normalizer.mean.copy_(mean)
    classifier.normalizer.deviation.copy_(deviation)
    classifier.to(device)
    targets = torch.zeros(len(videos), classes, device=device)
    for target, (_, labels) in zip(targets, videos, strict=True):
        target[sorted(set(labels))] = 1
    optimizer = torch.optim.LBFGS(
        classifier.parameters(), max_iter=PASSES, max_eval=PASSES, tolerance_change=1e-5, line_search_fn="strong_wolfe"
    )

    def loss_and_gradients() -> Tensor:
        optimizer.zero_grad()
        total = classifier.linear.weight.square().sum() / 2 / len(videos)
        total.backward()
        for target, (features, _) in zip(targets, videos, strict=True):
            logits = classifier(torch.from_numpy(features[:]).to(device))
            loss = F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(videos)
            loss.backward()
            total = total.detach() + loss.detach()
        return total

    optimizer.step(loss_and_gradients)
    return classifier.eval()
