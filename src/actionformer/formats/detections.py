"""Detections in files of any format that can be read or written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.files import write_pieces, write_whole
from actionformer.core.names import matched, nearest
from actionformer.formats.index import find
from actionformer.formats.rows import Columns, VideoRows


def read_results(
    paths: str | Path | Sequence[str | Path], class_names: Sequence[str] | None = None
) -> dict[str, Detections]:
    """Read detections that `detect` or `Detections` have written, or another program in those layouts.

    Args:
        paths: ActivityNet results JSON, a file ending in `.jsonl` with a line {"video", "detections"} per video, one
            ending in `.csv` with a header video,label,start,end,score, or one ending in `.parquet` as `detect` writes
            it; of several files the videos are joined.
        class_names: names that labels are indices into; without them, the files' own labels, sorted.

    Returns:
        video -> Detections, all with the same `class_names`.

    Raises:
        InputError: a broken file or entry, a label that is not in `class_names`, or a video that is in two files.
    """
    homes: dict[str, str | Path] = {}
    columns: dict[str, Columns] = {}
    for path in [paths] if isinstance(paths, str | Path) else paths:
        for video, found in _reader(path)(path).items():
            if video in columns:
                raise InputError(f"video {video!r} is in {homes[video]} and in {path}: keep one of them")
            homes[video], columns[video] = path, found
    labels = {label for found in columns.values() for label in found.names}
    names = tuple(class_names or sorted(labels))
    own = {label: names.index(name) for label, name in matched(labels, names).items()}
    for video, found in columns.items():
        for label in found.names:
            if label not in own:
                raise InputError(f"{homes[video]}: video {video!r}: no class {label!r}{nearest(label, names)}")
    return {
        video: Detections(
            segments=found.segments,
            scores=found.scores,
            labels=np.array([own[name] for name in found.names], dtype=np.int64)[found.labels],
            class_names=names,
        )
        for video, found in columns.items()
    }


def _reader(path: str | Path) -> Callable[[str | Path], dict[str, Columns]]:
    """The reader of a file, by its ending."""
    return find(path=path, can="read_results").function("read_results")


def named_rows(detections: Mapping[str, Detections]) -> Iterator[VideoRows]:
    """The detections of many videos as rows, video by video."""
    return (VideoRows(video, found.to_dict()) for video, found in detections.items())


def results_text(results: Iterable[VideoRows], format: str) -> Iterable[str]:
    """A text file that holds many videos, piece by piece.

    Raises:
        InputError: (also the functions below) no such format, or it holds one video per file.
    """
    pieces: Iterable[str] = find(format).function("results_text")(results)
    return pieces


def results_pieces(results: Iterable[VideoRows], format: str) -> Iterable[str | bytes]:
    """A file that holds many videos, piece by piece, whether it is text or not."""
    one = find(format)
    if not one.is_binary:
        return results_text(results, format)
    pieces: Iterable[bytes] = one.function("results_bytes")(results)
    return pieces


def write_results(path: str | Path, detections: Mapping[str, Detections], format: str = "json") -> None:
    """Write the detections of many videos into a file, whole or not at all."""
    write_pieces(path, results_pieces(named_rows(detections), format))


def video_text(
    found: Detections, format: str, media: str = "", *, fps: float | None = None, duration: float | None = None
) -> str:
    """A file that holds one video.

    Args:
        found: its detections.
        format: a format that holds one video per file.
        media: path or URL of the video, for formats that name it.
        fps: frames per second of the video, for formats that count them.
        duration: seconds that it lasts, likewise.
    """
    one = find(format)
    timing = (fps, duration) if one.counts_frames else ()
    text: str = one.function("video_text")(found, media, *timing)
    return text


def write_video(
    path: str | Path,
    found: Detections,
    format: str,
    media: str = "",
    *,
    fps: float | None = None,
    duration: float | None = None,
) -> None:
    """Write the detections of one video into a file, whole or not at all; see `video_text`."""
    write_whole(path, video_text(found, format, media, fps=fps, duration=duration))
