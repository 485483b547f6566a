"""What the classifier of a model directory says of a whole video."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from actionformer.features import FeatureReader
from actionformer.nn.video_classifier import VideoClassifier, pooled

ROWS = 16_384
"""Features in memory at a time."""


@torch.inference_mode()
def class_scores(classifier: VideoClassifier, features: FeatureReader) -> NDArray[np.float64]:
    """The probability of each class (K,) that a video has it.

    Args:
        classifier: on any device.
        features: (T, D) all of the video, as they were before they were resized.
    """
    device = classifier.linear.weight.device
    logits = [
        classifier.moments(torch.from_numpy(features[start : start + ROWS]).to(device))
        for start in range(0, features.shape[0], ROWS)
    ]
    scores: NDArray[np.float64] = pooled(torch.cat(logits)).double().sigmoid().cpu().numpy()
    return scores
