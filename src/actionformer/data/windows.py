"""Windows of one length that cover a sequence, for detectors that see no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from actionformer.data.collection import FeaturedVideo
from actionformer.data.crop import inside
from actionformer.data.dataset import TrainingSet, TrainingVideo, place_on_grid
from actionformer.data.settings import DataSettings
from actionformer.features import FeatureWindow

ROUNDING = 1e-9
"""Of a step: 1 less 0.8 is a little less than 0.2."""


def window_starts(length: int, window: int, overlap: float) -> list[int]:
    """The first rows of windows that cover a sequence: each overlaps the next by a share of its length, or more.

    The last ends where the sequence ends, so the one before it may overlap it by more. A sequence shorter than a window
    has one, which is padded.

    Args:
        length: rows of the sequence.
        window: rows of a window.
        overlap: share of a window that the next has too, below 1.
    """
    step = max(int(window * (1 - overlap) + ROUNDING), 1)
    last = max(length - window, 0)
    return [*range(0, last, step), last]


def training_set(videos: Sequence[FeaturedVideo], *, data: DataSettings, max_length: int, seed: int) -> TrainingSet:
    """What training sees of annotated videos: resized, in windows or whole, as the settings say."""
    windows = training_windows(place_on_grid(videos, data.resize, centred=data.center_videos), data)
    return TrainingSet(windows, data=data, max_length=max_length, seed=seed)


def training_windows(videos: Sequence[TrainingVideo], data: DataSettings) -> list[TrainingVideo]:
    """The windows that training sees, each like a video of its own; without `data.window` the videos themselves.

    An action belongs to a window if at least `data.min_overlap` of its length lies between the window's first and last
    feature, and is cut to that. Windows without any are left out. Proposals belong to a window by the same rule.
    """
    if data.window is None:
        return list(videos)
    windows = (window for video in videos for window in windows_of_video(video, data, data.train_overlap))
    return [window for window in windows if len(window.segments)]


def windows_of_video(video: TrainingVideo, data: DataSettings, overlap: float) -> Iterator[TrainingVideo]:
    """All windows of a video, with the actions that belong to each; see `training_windows`."""
    for rows, kept, clipped in _shown(video, data, overlap):
        proposals = video.proposals
        if proposals is not None:
            which, cut = inside(proposals, rows.start, rows.stop - 1, data.min_overlap)
            proposals = (cut[which] - rows.start).astype(np.float32)
        yield replace(
            video,
            features=FeatureWindow(video.features, rows.start, rows.stop),
            segments=(clipped[kept] - rows.start).astype(np.float32),
            labels=video.labels[kept],
            first=rows.start,
            proposals=proposals,
        )


def in_a_window(video: TrainingVideo, data: DataSettings) -> NDArray[np.bool_]:
    """(N,) which actions of a video belong to some window."""
    kept: NDArray[np.bool_] = np.any([kept for _, kept, _ in _shown(video, data, data.train_overlap)], axis=0)
    return kept


def _shown(
    video: TrainingVideo, data: DataSettings, overlap: float
) -> Iterator[tuple[range, NDArray[np.bool_], NDArray[np.float32]]]:
    """Of each window its rows, (N,) which actions belong to it, and (N, 2) all actions, cut to it."""
    assert data.window is not None
    length = video.features.shape[0]
    for start in window_starts(length, data.window, overlap):
        stop = min(start + data.window, length)
        yield range(start, stop), *inside(video.segments, start, stop - 1, data.min_overlap)
