"""Annotated videos whose features are a shape alone: checks read none."""

from collections.abc import Sequence

import numpy as np

from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import FeaturedVideo
from actionformer.features import Features, FeatureSpec

GRID = TimeGrid(fps=30, stride=4, num_frames=16)


def featured(
    videos: Sequence[Sequence[Sequence[float]]],
    labels: Sequence[Sequence[int]] | None = None,
    *,
    length: int = 297,
    width: int = 64,
    duration: float | None = None,
    fps: float | None = None,
    grid: TimeGrid = GRID,
) -> list[FeaturedVideo]:
    """Videos v0, v1, ..., each with its actions; by default as long as their features."""
    made = []
    for i, actions in enumerate(videos):
        segments = np.array(actions, dtype=float).reshape(-1, 2)
        own = np.zeros(len(segments), np.int64) if labels is None else np.array(labels[i], np.int64)
        video = AnnotatedVideo(f"v{i}", "training", duration, fps, segments, own)
        made.append(FeaturedVideo(video, Features((), (length, width)), grid, FeatureSpec()))
    return made
