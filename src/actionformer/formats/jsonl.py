"""JSON Lines: {"video", "source", "detections"} per line, so that a job can append what it finds video by video."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError, warn
from actionformer.core.files import parse_json
from actionformer.formats.rows import Columns, VideoRows, checked_list, columns_of_rows, video_rows


def video_line(found: VideoRows) -> str:
    """The line of a video."""
    return json.dumps({"video": found.video, "source": found.source, "detections": found.rows}) + "\n"


def results_text(results: Iterable[VideoRows]) -> Iterator[str]:
    """A file of many videos, video by video."""
    return map(video_line, results)


def read_results(path: str | Path) -> dict[str, Columns]:
    """The detections of a file, by video; a last line that is cut is left out, with a warning.

    Raises:
        InputError: a broken line.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path}: cannot read (a pipe, a device or a folder, expected a file)")
    found: dict[str, Columns] = {}
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                where = f"{path}: line {number}"
                if not line.endswith(b"\n") and not _is_whole(line):
                    warn(
                        f"{where} is incomplete, as after a kill, and is left out; detect --resume continues the job", 3
                    )
                elif line.strip():
                    video, rows = line_content(line, where)
                    if video in found:
                        raise InputError(f"{where}: video {video!r} has an earlier line, keep one of them")
                    found[video] = columns_of_rows(video_rows(video, rows, f"{where}: "))
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror or error})") from error
    return found


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def line_content(line: bytes, where: str) -> tuple[str, list[Any]]:
    """The video of a line of JSON Lines, and the list of its detections, which are not looked at.

    Raises:
        InputError: it is none.
    """
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 text (byte {error.start})") from error
    content = parse_json(text, where)
    if not (isinstance(content, dict) and isinstance(content.get("video"), str) and "detections" in content):
        raise InputError(f"{where}: expected {{'video': id, 'detections': [...]}}, found {content!r:.60}")
    return content["video"], checked_list(content["detections"], f"{where}: video {content['video']!r}")
