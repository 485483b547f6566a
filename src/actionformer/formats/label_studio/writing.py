"""Detections as tasks of Label Studio with predictions.

The project has `<TimelineLabels name="videoLabels" toName="video">` and `<Video name="video" value="$video"
framerate="$fps">`. Timelines count frames at that rate, from 1, the last one included; seconds stand beside them in a
region's meta text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from actionformer.core.detections import in_time
from actionformer.core.errors import InputError
from actionformer.formats.rows import VideoRows


def results_text(results: Iterable[VideoRows]) -> Iterator[str]:
    """A list of tasks, video by video.

    Raises:
        InputError: a video whose rate is not known.
    """
    before = "[\n"
    for number, found in enumerate(results, 1):
        yield before + json.dumps(_task(number, found), indent=1)
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


def _task(number: int, found: VideoRows) -> dict[str, Any]:
    if found.fps is None:
        raise InputError(
            f"video {found.video!r}: Label Studio counts frames, and nothing says how many a second it has: "
            "give the video, or --fps"
        )
    regions = [_region(f"{number}-{i}", row, found.fps) for i, row in enumerate(in_time(found.rows), 1)]
    scores = [row["score"] for row in found.rows]
    prediction = {
        "model_version": "actionformer",
        "score": sum(scores) / len(scores) if scores else 0.0,
        "result": regions,
    }
    return {"data": {"video": found.source or found.video, "fps": found.fps}, "predictions": [prediction]}


def _region(id_: str, row: dict[str, Any], fps: float) -> dict[str, Any]:
    start, end = row["segment"]
    first = round(start * fps)
    return {
        "id": id_,
        "type": "timelinelabels",
        "from_name": "videoLabels",
        "to_name": "video",
        "score": row["score"],
        "value": {
            "ranges": [{"start": first + 1, "end": max(round(end * fps), first + 1)}],
            "timelinelabels": [row["label"]],
        },
        "meta": {"text": [f"{start:.3f} s to {end:.3f} s"]},
    }
