"""Annotations in ActivityNet JSON layout.

`{"version", "database": {id: {"subset", "duration"?, "fps"?, "group"?, "annotations"?: [{"segment": [start, end],
"label", "label_id"?}]}}}`, times in seconds; a video without annotations is a background video. A group may be called
"subject" too.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actionformer.core.annotations import AnnotatedVideo, Annotations, NamedAction, NamedVideo, with_class_numbers
from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.core.names import check_name
from actionformer.core.segments import LATEST, check_times

MAX_CLASSES = 100_000
TO_IMPORT = "of labels in another format 'actionformer import' makes annotations"


def read_annotations(path: str | Path, class_names: Sequence[str] | None = None) -> Annotations:
    """The annotations of a file; see `formats.annotations.read_annotations`."""
    try:
        content = read_json(path)
    except InputError as error:
        if Path(path).suffix.lower() == ".json" or not os.path.isfile(path):
            raise
        raise InputError(f"{error}; {TO_IMPORT}") from error
    return parse_annotations(content, class_names=class_names, source=str(path))


def parse_annotations(
    content: Mapping[str, Any], class_names: Sequence[str] | None = None, source: str = "annotations"
) -> Annotations:
    """Annotations from the decoded content of such a file.

    Args:
        content: the object that the file holds.
        class_names: see `core.annotations.with_class_numbers`.
        source: the file, for messages.

    Raises:
        InputError: a broken entry (file, video and annotation are named), an inconsistent `label_id`, or a label that
            is not in `class_names`.
    """
    database = content.get("database") if isinstance(content, Mapping) else None
    if not isinstance(database, Mapping) or not database:
        expected = "{'database': {id: {'subset', 'annotations'}}}"
        raise InputError(f"{source}: no videos; expected {expected}; {TO_IMPORT}")
    videos = [_parse_video(key, value, f"{source}: video {key!r}") for key, value in database.items()]
    return with_class_numbers(videos, class_names, source)


def annotations_text(annotations: Annotations) -> str:
    """A file of annotations, with label ids."""
    database = {key: _video_entry(video, annotations.class_names) for key, video in annotations.videos.items()}
    return json.dumps({"version": "1.0", "database": database}, indent=1) + "\n"


def _parse_video(key: str, entry: Any, where: str) -> NamedVideo:
    if not isinstance(entry, Mapping):
        raise InputError(f"{where}: expected an object with 'subset' and 'annotations', found {entry!r:.60}")
    check_name(key, f"{where}: the id")
    subset = entry.get("subset")
    if not isinstance(subset, str) or not subset:
        raise InputError(f"{where}: expected 'subset', a name such as 'training', found {subset!r:.60}")
    check_name(subset, f"{where}: subset")
    annotations = entry.get("annotations") or []
    if not isinstance(annotations, list):
        raise InputError(f"{where}: expected 'annotations', a list, found {annotations!r:.60}")
    actions = [_parse_action(one, f"{where}, annotation {i}") for i, one in enumerate(annotations)]
    duration = _positive(entry, "duration", where)
    if duration is not None and duration > LATEST:
        raise InputError(f"{where}: duration must be at most {LATEST:g} s, found {duration:g}")
    return NamedVideo(key, subset, duration, _positive(entry, "fps", where), actions, _group(entry, where))


def _group(entry: Mapping[str, Any], where: str) -> str | None:
    name = next((one for one in ("group", "subject") if entry.get(one) is not None), None)
    if name is None:
        return None
    value = entry[name]
    if type(value) is int:
        return str(value)
    if not isinstance(value, str) or not value:
        raise InputError(f"{where}: expected {name!r}, a name or a number, found {value!r:.60}")
    check_name(value, f"{where}: {name}")
    return value


def _parse_action(one: Any, where: str) -> NamedAction:
    if not isinstance(one, Mapping):
        raise InputError(f"{where}: expected an object with 'segment' and 'label', found {one!r:.60}")
    start, end = _parse_segment(one, where)
    label, label_id = one.get("label"), one.get("label_id")
    if not isinstance(label, str) or not label:
        raise InputError(f"{where}: expected 'label', a class name, found {label!r:.60}")
    check_name(label, f"{where}: label")
    if label_id is not None and (type(label_id) is not int or not 0 <= label_id < MAX_CLASSES):
        raise InputError(f"{where}: label_id must be a whole number from 0 on, found {label_id!r:.60}")
    return NamedAction(start, end, label, label_id, where)


def _parse_segment(one: Mapping[str, Any], where: str) -> tuple[float, float]:
    segment = one.get("segment")
    if not (isinstance(segment, (list, tuple)) and len(segment) == 2 and all(map(_is_number, segment))):
        raise InputError(f"{where}: expected 'segment', [start, end] in seconds, found {segment!r:.60}")
    start, end = float(segment[0]), float(segment[1])
    check_times(start, end, where)
    return start, end


def _positive(entry: Mapping[str, Any], name: str, where: str) -> float | None:
    value = entry.get(name)
    if value is None:
        return None
    if not _is_number(value) or value <= 0:
        raise InputError(f"{where}: {name} must be a positive number, found {value!r:.60}")
    return float(value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _video_entry(video: AnnotatedVideo, class_names: Sequence[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"subset": video.subset}
    if video.duration is not None:
        entry["duration"] = video.duration
    if video.fps is not None:
        entry["fps"] = video.fps
    if video.group is not None:
        entry["group"] = video.group
    rows = zip(video.segments.tolist(), video.labels.tolist(), strict=True)
    entry["annotations"] = [
        {"segment": segment, "label": class_names[label], "label_id": label} for segment, label in rows
    ]
    return entry
