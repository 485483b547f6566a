"""From the network's outputs for one sequence to candidates, and fusion with video-level classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from actionformer.config import DecodingSettings
from actionformer.errors import InputError
from actionformer.inference.suppression import Kept, as_array


class Candidates(NamedTuple):
    """Scored segments of one sequence, before suppression: level after level, in each the best first."""

    segments: Tensor
    """(N, 2) float32 starts and ends, in grid steps, unclipped."""
    scores: Tensor
    """(N,) float32 class probabilities."""
    labels: Tensor
    """(N,) int64 classes."""
    levels: Tensor
    """(N,) int64 pyramid level of each."""


@torch.no_grad()
def decode(
    logits: Sequence[Tensor],
    offsets: Sequence[Tensor],
    valid: Sequence[Tensor],
    strides: Sequence[int],
    settings: DecodingSettings,
) -> Candidates:
    """The candidates of one sequence (Zhang et al., ECCV 2022; thresholds as published).

    Moment i of a level with stride s lies at t = i * s and proposes, for each class, the segment
    [t - d_start * s, t + d_end * s]. A level keeps the `top_k` most probable pairs of moment and class among
    those with a probability above `min_probability`, and of these the segments longer than `min_length`.

    Args:
        logits: a level each, (T_l, K).
        offsets: a level each, (T_l, 2) distances to start and end, at least 0, in strides of the level.
        valid: a level each, (T_l,) bool, False at padding.
        strides: a level each, grid steps between moments.
        settings: thresholds.

    Returns:
        Candidates on the device of the inputs.
    """
    levels = [
        _decode_level(level, *tensors, settings)
        for level, tensors in enumerate(zip(logits, offsets, valid, strides, strict=True))
    ]
    return Candidates(*(torch.cat(parts) for parts in zip(*levels, strict=True)))


def _decode_level(
    level: int, logits: Tensor, offsets: Tensor, valid: Tensor, stride: int, settings: DecodingSettings
) -> Candidates:
    probability = (logits.float().sigmoid() * valid[:, None]).flatten()  # (T_l * K,)
    pairs = torch.nonzero(probability > settings.min_probability)[:, 0]
    scores, best = probability[pairs].topk(min(settings.top_k, len(pairs)))
    pairs = pairs[best]
    moments, labels = pairs // logits.shape[1], pairs % logits.shape[1]
    to_start, to_end = (offsets[moments].float() * stride).unbind(-1)
    centre = (moments * stride).float()
    segments = torch.stack((centre - to_start, centre + to_end), dim=-1)
    long = segments[:, 1] - segments[:, 0] > settings.min_length
    return Candidates(segments[long], scores[long], labels[long], torch.full_like(labels[long], level))


def fuse(
    segments: Any, scores: Any, class_scores: Any, *, max_proposals: int = 200, classes_per_video: int = 2
) -> Kept:
    """Class-agnostic proposals of a video with the classes that a video classifier gives it.

    The best proposals are each repeated for the video's best classes, with score
    sqrt(class score * proposal score), as in the published ActivityNet results.

    Args:
        segments: (N, 2) proposals, in any one unit.
        scores: (N,) their scores, at least 0.
        class_scores: (K,) the video's score for every class, at least 0.
        max_proposals: proposals that take part.
        classes_per_video: classes that take part.

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
    proposals = np.argsort(-scores, kind="stable")[:max_proposals]
    classes = np.argsort(-class_scores, kind="stable")[:classes_per_video]
    fused = np.sqrt(scores[proposals, None] * class_scores[classes])  # (proposals, classes)
    order = np.argsort(-fused, axis=None, kind="stable")
    proposal, label = (axis[order] for axis in (np.repeat(proposals, len(classes)), np.tile(classes, len(proposals))))
    return Kept(
        segments[proposal].astype(np.float32),
        fused.reshape(-1)[order].astype(np.float32),
        label.astype(np.int64),
        proposal.astype(np.int64),
    )
