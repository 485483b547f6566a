"""Events of E2E-Spot: `[{"video", "num_frames", "fps", "events": [{"frame", "label"}]}]`, moments by frames from 0."""

from __future__ import annotations

from typing import Any

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo
from actionformer.formats.numbers import number


def holds_labels(document: Document) -> bool:
    """Whether it is a list of videos with events."""
    content = document.json
    return isinstance(content, list) and bool(content) and all(map(_is_video, content))


def read_labels(document: Document) -> LabelFile:
    """The events of every video, as moments."""
    return LabelFile([_video(document, entry) for entry in document.json])


def _is_video(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("video"), str)
        and isinstance(entry.get("events"), list)
        and all(isinstance(one, dict) and type(one.get("frame")) is int and "label" in one for one in entry["events"])
    )


def _video(document: Document, entry: dict[str, Any]) -> LabelledVideo:
    segments = [
        LabelledSegment(
            one["frame"], one["frame"], str(one["label"]), document.where(item=f"{entry['video']}, event {place}")
        )
        for place, one in enumerate(entry["events"])
    ]
    fps, frames = number(entry.get("fps")), number(entry.get("num_frames"))
    rate = fps if fps is not None and fps > 0 else None  # -1: nobody knows
    return LabelledVideo(entry["video"], segments, "frames", rate, frames / rate if rate and frames else None)
