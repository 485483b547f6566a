"""Channels that follow the annotations: labels that were extracted together with the readings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from actionformer.checks.findings import Finding
from actionformer.checks.probe import MOST_CLASSES, chosen, read_rows
from actionformer.core.errors import listed
from actionformer.data.collection import FeaturedVideo

FEWEST_ROWS, FEWEST_ACTIONS, FEWEST_VIDEOS = 10, 3, 2
"""Within actions of a class, for one value in all of them to be no chance."""

Floats = NDArray[np.float32]
Rows = Sequence[tuple[FeaturedVideo, Floats]]


def check_followed(videos: Sequence[FeaturedVideo]) -> list[Finding]:
    """Channels that hold one value in all rows within actions of a class, and never elsewhere.

    Rows of which a part lies within are left out. No measured channel keeps one value in all actions of a class.
    """
    read = [(video, rows) for video in chosen(videos) if (rows := read_rows(video)) is not None]
    labels = np.concatenate([np.empty(0, np.int64), *(video.video.labels for video, _ in read)])
    classes, counts = np.unique(labels, return_counts=True)
    found = [_following(read, int(label)) for label in classes[np.argsort(-counts, kind="stable")][:MOST_CLASSES]]
    if not (channels := sorted(set().union(*found))):
        return []
    what = "channels hold one value within all actions of a class, and never elsewhere, as labels do: "
    example = listed([str(channel) for channel in channels])
    advice = "leave them out: a model learns from them what it is to find, and new recordings do not have them"
    return [Finding("followed", "warning", len(channels), read[0][1].shape[1], what, example, advice)]


def _following(read: Rows, label: int) -> set[int]:
    """The channels that follow one class."""
    parts = [(rows, *_inside_and_apart(video, len(rows), label)) for video, rows in read]
    within = [rows[inside] for rows, inside, _ in parts if inside.any()]
    actions = sum(int((video.video.labels == label).sum()) for video, _ in read)
    enough = len(within) >= FEWEST_VIDEOS and sum(map(len, within)) >= FEWEST_ROWS and actions >= FEWEST_ACTIONS
    if not enough or sum(int(apart.sum()) for *_, apart in parts) < FEWEST_ROWS:
        return set()
    value = within[0][0]
    same = np.flatnonzero(np.all([(rows == value).all(0) for rows in within], axis=0))
    return set(
        same[np.all([(rows[apart][:, same] != value[same]).all(0) for rows, _, apart in parts], axis=0)].tolist()
    )


def _inside_and_apart(video: FeaturedVideo, rows: int, label: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows lie wholly within an action of a class, and which wholly outside of all of them, (T,) each.

    By a frame at least, as times are rounded.
    """
    segments, grid = video.video.segments[video.video.labels == label], video.grid
    margin = grid.half_window * grid.step + 1 / grid.fps
    centres = grid.to_seconds(np.arange(rows, dtype=np.float64))[:, None]
    inside = ((centres - margin >= segments[:, 0]) & (centres + margin <= segments[:, 1])).any(1)
    apart = ((centres + margin <= segments[:, 0]) | (centres - margin >= segments[:, 1])).all(1)
    return inside, apart
