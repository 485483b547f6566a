"""Detections on their way from and to files: named classes, a video at a time, checked row by row."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actionformer.core.detections import Rows
from actionformer.core.errors import InputError
from actionformer.core.names import check_name
from actionformer.core.segments import check_times

Row = tuple[str, float, float, float]
"""Label, start and end in seconds, score."""


class VideoRows(NamedTuple):
    """What is written of a video in a file of many."""

    video: str
    rows: Rows
    source: str = ""
    """The file that was searched."""
    fps: float | None = None
    """Frames per second of the video, where a format counts frames."""
    duration: float | None = None
    """Seconds that the video lasts, likewise."""


class Columns(NamedTuple):
    """What is read of a video, in the order of the file."""

    names: tuple[str, ...]
    """Classes that occur."""
    labels: NDArray[np.int64]
    """(N,) indices into `names`."""
    segments: NDArray[np.float64]
    """(N, 2) seconds."""
    scores: NDArray[np.float64]
    """(N,)"""


def columns_of(labels: list[str], ends: list[float], scores: list[float]) -> Columns:
    """Columns of N labels, of 2 N starts and ends in turns, and of N scores."""
    names = tuple(dict.fromkeys(labels))
    places = {name: place for place, name in enumerate(names)}
    return Columns(
        names,
        np.fromiter(map(places.__getitem__, labels), np.int64, len(labels)),
        np.fromiter(ends, np.float64, len(ends)).reshape(-1, 2),
        np.fromiter(scores, np.float64, len(scores)),
    )


def columns_of_rows(rows: Iterable[Row]) -> Columns:
    """The same of rows."""
    rows = list(rows)
    return columns_of([row[0] for row in rows], [end for row in rows for end in row[1:3]], [row[3] for row in rows])


def video_rows(video: str, found: Any, where: str) -> list[Row]:
    """The rows of a video in a JSON file, checked.

    Args:
        video: its id, as the file has it.
        found: what the file has for it.
        where: the place in the file before it, for messages.

    Raises:
        InputError: (also the functions below) something that cannot be.
    """
    check_name(video, f"{where}the id of a video")
    rows = checked_list(found, f"{where}video {video!r}")
    return [_json_row(one, f"{where}video {video!r}, detection {i}") for i, one in enumerate(rows)]


def checked_list(found: Any, where: str) -> list[Any]:
    """A list of detections, which are not looked at."""
    if not isinstance(found, list):
        raise InputError(f"{where}: expected a list of detections, found {found!r:.60}")
    return found


def _json_row(one: Any, where: str) -> Row:
    try:
        label, (start, end), score = one["label"], one["segment"], one["score"]
    except (KeyError, TypeError, ValueError) as error:
        expected = "{'label': name, 'score': number, 'segment': [start, end]}"
        raise InputError(f"{where}: expected {expected}, found {one!r:.80}") from error
    return checked_row(label, start, end, score, where)


def checked_row(label: Any, start: Any, end: Any, score: Any, where: str) -> Row:
    """The row of these values of a file, whatever they are."""
    if not isinstance(label, str) or not label:
        raise InputError(f"{where}: label must be a class name, found {label!r:.60}")
    check_name(label, f"{where}: label")
    for name, value in (("start", start), ("end", end), ("score", score)):
        if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:
            raise InputError(f"{where}: {name} must be a finite number, found {value!r:.60}")
    check_times(start, end, where)
    return label, float(start), float(end), float(score)
