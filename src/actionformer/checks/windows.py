"""Actions that windows cut too much off to be learned, and sequences that have more than can be found in one."""

from __future__ import annotations

import numpy as np

from actionformer.checks.findings import Finding
from actionformer.data.collection import Collection
from actionformer.data.dataset import TrainingSet, place_on_grid
from actionformer.data.windows import in_a_window
from actionformer.detectors.base import architecture_of
from actionformer.settings.config import Config


def check_windows(collection: Collection, config: Config) -> list[Finding]:
    """What of the training subset no window shows enough of, if there are windows."""
    if config.data.window is None:
        return []
    videos = place_on_grid(collection.videos, None)
    seen = np.concatenate([np.empty(0, bool), *(in_a_window(video, config.data) for video in videos)])
    if seen.all():
        return []
    lost, total = int((~seen).sum()), len(seen)
    longest = max(np.diff(video.segments)[:, 0].max(initial=0.0) for video in videos)
    return [
        Finding(
            "no_window",
            "error" if lost == total else "warning",
            lost,
            total,
            f"actions lie in no window of {config.data.window} features by data.min_overlap of their length",
            f", the longest has {longest:.0f}",
            "raise data.window or data.train_overlap, or take features further apart",
        )
    ]


def check_crowded(training: TrainingSet, config: Config) -> list[Finding]:
    """Sequences, or windows, with more actions than the detector finds in one."""
    most = architecture_of(config).most_actions
    counts = np.array([len(video.labels) for video in training.videos])
    if most is None or not (counts > most).any():
        return []
    kind = "sequences have" if config.data.window is None else "windows have"
    return [
        Finding(
            "crowded",
            "warning",
            int((counts > most).sum()),
            len(counts),
            f"{kind} more actions than {config.model.detector} finds in one, {most}: the others are not learned",
            f", the fullest has {counts.max()}",
            "raise model.num_queries, or lower data.window",
        )
    ]
