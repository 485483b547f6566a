"""FiftyOne's temporal detections: `{"classes": [...], "labels": {video: [{"label", "support" or "timestamps"}]}}`.

`support` is the first and the last frame, from 1; `timestamps` are seconds. A label may be a place in `classes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark, Unit
from actionformer.formats.numbers import pair

KEYS: dict[Unit, str] = {"frames": "support", "seconds": "timestamps"}


def holds_labels(document: Document) -> bool:
    """Whether videos have lists of labels with a support or timestamps."""
    labels = document.json.get("labels") if isinstance(document.json, dict) else None
    if not isinstance(labels, dict) or not labels:
        return False
    every = [one for found in labels.values() for one in found or []] if all(map(_is_list, labels.values())) else [None]
    return all(isinstance(one, dict) and any(key in one for key in KEYS.values()) for one in every)


def read_labels(document: Document) -> LabelFile:
    """The labels of every video."""
    classes = document.json.get("classes")
    names = [str(name) for name in classes] if isinstance(classes, list) else []
    videos, remarks = [], list[Remark]()
    for name, found in document.json["labels"].items():
        videos.append(_video(document, name, found or [], names, remarks))
    return LabelFile(videos, remarks, names)


def _is_list(found: Any) -> bool:
    return found is None or isinstance(found, list)


def _video(
    document: Document, name: str, found: Sequence[Any], names: Sequence[str], remarks: list[Remark]
) -> LabelledVideo:
    unit: Unit = "frames" if found and all("support" in one for one in found) else "seconds"
    segments = []
    for place, one in enumerate(found):
        where = document.where(item=f"video {name!r}, label {place}")
        times, label = pair(one.get(KEYS[unit])), _label(one.get("label"), names)
        if times is None or not label:
            remarks.append(Remark("a label without a class or without times is left out", where))
        else:
            segments.append(LabelledSegment(times[0] - (unit == "frames"), times[1], label, where))
    return LabelledVideo(name, segments, unit, complete=len(segments) == len(found))


def _label(label: Any, names: Sequence[str]) -> str:
    if type(label) is int:
        return names[label] if 0 <= label < len(names) else ""
    return label if isinstance(label, str) else ""
