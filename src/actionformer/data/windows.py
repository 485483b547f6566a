"""Windows of one length that cover a sequence, for detectors that see no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from actionformer.data.crop import inside
from actionformer.data.dataset import TrainingVideo
from actionformer.data.settings import DataSettings
from actionformer.features import FeatureWindow


def window_starts(length: int, window: int, overlap: float) -> list[int]:
    """The first rows of windows that cover a sequence: each but the last overlaps the next by a share of its length.

    The last ends where the sequence ends. A sequence shorter than a window has one, which is padded.

    Args:
        length: rows of the sequence.
        window: rows of a window.
        overlap: share of a window that the next has too, below 1.
    """
    step = max(int(window * (1 - overlap)), 1)
    last = max(length - window, 0)
    return [*range(0, last, step), last]


def training_windows(videos: Sequence[TrainingVideo], data: DataSettings) -> list[TrainingVideo]:
    """The windows that training sees, each like a video of its own; without `data.window` the videos themselves.

    An action belongs to a window if at least `data.min_overlap` of its length lies between the window's first and last
    feature, and is cut to that. Windows without any are left out.
    """
    if data.window is None:
        return list(videos)
    return [window for video in videos for window in _windows(video, data) if len(window.segments)]


def _windows(video: TrainingVideo, data: DataSettings) -> Iterator[TrainingVideo]:
    assert data.window is not None
    length = video.features.shape[0]
    for start in window_starts(length, data.window, data.train_overlap):
        stop = min(start + data.window, length)
        kept, clipped = inside(video.segments, start, stop - 1, data.min_overlap)
        yield replace(
            video,
            features=FeatureWindow(video.features, start, stop),
            segments=(clipped[kept] - start).astype(np.float32),
            labels=video.labels[kept],
            first=start,
        )


def in_a_window(video: TrainingVideo, data: DataSettings) -> NDArray[np.bool_]:
    """(N,) which actions of a video belong to some window."""
    assert data.window is not None
    length = video.features.shape[0]
    starts = window_starts(length, data.window, data.train_overlap)
    ends = [(start, min(start + data.window, length) - 1) for start in starts]
    kept: NDArray[np.bool_] = np.any([inside(video.segments, *end, data.min_overlap)[0] for end in ends], axis=0)
    return kept
