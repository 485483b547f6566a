"""Fusion of class-agnostic proposals with the classes that a video-level classifier gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from actionformer.core.errors import InputError
from actionformer.inference.settings import FusionSettings
from actionformer.inference.suppression import ScoredSegments, as_array

PUBLISHED = FusionSettings()
"""Of ActivityNet."""


def fuse(segments: Any, scores: Any, class_scores: Any, settings: FusionSettings = PUBLISHED) -> ScoredSegments:
    """Class-agnostic proposals of a video with the classes that a video classifier gives it.

    The best proposals are each repeated for the video's best classes, with score sqrt(class score * proposal score) as
    in ActionFormer's published ActivityNet results, or with the product as in those of BMN, G-TAD and OpenTAD.

    Args:
        segments: (N, 2) proposals, in any one unit.
        scores: (N,) their scores, at least 0.
        class_scores: (K,) the video's score for every class, at least 0.
        settings: how many proposals and classes take part, and whether the root is taken.

    Returns:
        Up to max_proposals * classes_per_video detections, best first; `index` is the proposal of each.

    Raises:
        InputError: class scores that are not a list of numbers of at least 0.
    """
    segments, scores, class_scores = (as_array(values) for values in (segments, scores, class_scores))
    if class_scores.ndim != 1 or not (np.isfinite(class_scores) & (class_scores >= 0)).all():
        raise InputError(
            "class scores of a video: expected (K,) finite numbers of at least 0, "
            f"found shape {class_scores.shape}, {np.array2string(class_scores, threshold=5)}"
        )
    proposals = np.argsort(-scores, kind="stable")[: settings.max_proposals]
    classes = np.argsort(-class_scores, kind="stable")[: settings.classes_per_video]
    fused = scores[proposals, None] * class_scores[classes]  # (proposals, classes)
    if settings.score == "root":
        fused = np.sqrt(fused)
    order = np.argsort(-fused, axis=None, kind="stable")
    proposal, label = (axis[order] for axis in (np.repeat(proposals, len(classes)), np.tile(classes, len(proposals))))
    return ScoredSegments(
        segments[proposal].astype(np.float32),
        fused.reshape(-1)[order].astype(np.float32),
        label.astype(np.int64),
        proposal.astype(np.int64),
    )
