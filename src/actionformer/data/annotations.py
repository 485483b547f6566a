"""Annotation files: which actions happen when in which video."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, warn
from actionformer.core.files import read_json, write_whole
from actionformer.core.names import alike, check_name, matched, nearest, spelled
from actionformer.core.segments import LATEST, check_times

MAX_CLASSES = 100_000


@dataclass(frozen=True, eq=False)
class Video:
    """One annotated video; without actions it is a background video."""

    id: str
    subset: str
    duration: float | None
    """Seconds."""
    fps: float | None
    """Frames a second."""
    segments: NDArray[np.float64]
    """(N, 2) starts and ends, seconds."""
    labels: NDArray[np.int64]
    """(N,) indices into the class names."""


@dataclass(frozen=True, eq=False)
class Annotations:
    """The videos of an annotation file and the names of their classes."""

    videos: dict[str, Video]
    class_names: tuple[str, ...]
    source: str = "annotations"
    """Where they came from, for messages."""

    def __len__(self) -> int:
        return len(self.videos)

    @property
    def subset_names(self) -> list[str]:
        """The names of the subsets there are, sorted."""
        return sorted({video.subset for video in self.videos.values()})

    def has_subset(self, names: str | Sequence[str]) -> bool:
        """Whether a video belongs to one of these subsets; case does not matter."""
        return not _wanted(names).isdisjoint(map(_subset, self.subset_names))

    def subset(self, names: str | Sequence[str]) -> Annotations:
        """The videos of one subset or of several; case does not matter. Class names stay all.

        Raises:
            InputError: a name that no video has; those that exist are listed.
        """
        for name in [names] if isinstance(names, str) else names:
            if not self.has_subset(name):
                raise InputError(
                    f"{self.source}: no video in subset {name!r}; there are {', '.join(self.subset_names)}"
                )
        wanted = _wanted(names)
        chosen = {key: video for key, video in self.videos.items() if _subset(video.subset) in wanted}
        return replace(self, videos=chosen)


def _wanted(names: str | Sequence[str]) -> set[str]:
    return set(map(_subset, [names] if isinstance(names, str) else names))


def _subset(name: str) -> str:
    """What names of one subset have in common."""
    return spelled(spelled(name).casefold())


def read_annotations(path: str | Path, class_names: Sequence[str] | None = None) -> Annotations:
    """Read an annotation file in ActivityNet JSON layout.

    Args:
        path: `{"database": {id: {"subset", "duration"?, "fps"?, "annotations"?: [{"segment": [start, end],
            "label", "label_id"?}]}}}`, times in seconds.
        class_names: a trained model's classes; labels become indices into them, by name.

    Raises:
        InputError: a broken file or entry (file, video and annotation are named), an inconsistent `label_id`,
            or a label that is not in `class_names`.
    """
    found = parse_annotations(read_json(path), class_names=class_names, source=str(path))
    if class_names is None:
        for group in alike(found.class_names):
            warn(f"{path}: classes {' and '.join(map(repr, group))} are taken for different ones: is that meant?")
    return found


def parse_annotations(
    content: Mapping[str, Any], class_names: Sequence[str] | None = None, source: str = "annotations"
) -> Annotations:
    """Annotations from the decoded content of such a file; see `read_annotations`.

    Without `class_names` a label has the id that any of its annotations gives; the others, sorted by name,
    take the lowest free ids. An id that no label has is named `class_<id>`.
    """
    database = content.get("database") if isinstance(content, Mapping) else None
    if not isinstance(database, Mapping) or not database:
        raise InputError(f"{source}: no videos; expected {{'database': {{id: {{'subset', 'annotations'}}}}}}")
    entries = {key: _parse_video(key, value, f"{source}: video {key!r}") for key, value in database.items()}
    labels = {action.label for _, actions in entries.values() for action in actions}
    given = _given_ids([action for _, actions in entries.values() for action in actions])
    names = tuple(class_names) if class_names is not None else _class_names(labels, given)
    numbers = {name: i for i, name in enumerate(names)}
    ids = {label: numbers[name] for label, name in matched(labels, names).items()}
    for label in sorted(labels - ids.keys()):
        raise InputError(f"{source}: the model has no class {label!r}{nearest(label, names)}")
    videos = {key: _with_actions(video, actions, ids) for key, (video, actions) in entries.items()}
    return Annotations(videos=videos, class_names=names, source=source)


def write_annotations(path: str | Path, annotations: Annotations) -> None:
    """Write annotations in ActivityNet JSON layout, with label ids, whole or not at all."""
    database = {key: _video_entry(video, annotations.class_names) for key, video in annotations.videos.items()}
    write_whole(path, json.dumps({"version": "1.0", "database": database}, indent=1) + "\n")


@dataclass(frozen=True)
class _Action:
    start: float
    end: float
    label: str
    label_id: int | None
    where: str


def _parse_video(key: str, entry: Any, where: str) -> tuple[Video, list[_Action]]:
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
    video = Video(
        id=key,
        subset=subset,
        duration=duration,
        fps=_positive(entry, "fps", where),
        segments=np.empty((0, 2)),
        labels=np.empty(0, dtype=np.int64),
    )
    return video, actions


def _parse_action(one: Any, where: str) -> _Action:
    if not isinstance(one, Mapping):
        raise InputError(f"{where}: expected an object with 'segment' and 'label', found {one!r:.60}")
    start, end = _parse_segment(one, where)
    label, label_id = one.get("label"), one.get("label_id")
    if not isinstance(label, str) or not label:
        raise InputError(f"{where}: expected 'label', a class name, found {label!r:.60}")
    check_name(label, f"{where}: label")
    if label_id is not None and (type(label_id) is not int or not 0 <= label_id < MAX_CLASSES):
        raise InputError(f"{where}: label_id must be a whole number from 0 on, found {label_id!r:.60}")
    return _Action(start, end, label, label_id, where)


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


def _given_ids(actions: list[_Action]) -> dict[str, int]:
    """Label -> id where the file gives one, checked to be one to one."""
    ids: dict[str, int] = {}
    labels: dict[int, str] = {}
    for action in actions:
        if action.label_id is None:
            continue
        known_id = ids.setdefault(action.label, action.label_id)
        known_label = labels.setdefault(action.label_id, action.label)
        if known_id != action.label_id:
            raise InputError(
                f"{action.where}: label {action.label!r} has label_id {action.label_id}, elsewhere {known_id}"
            )
        if known_label != action.label:
            raise InputError(
                f"{action.where}: label_id {action.label_id} belongs to {action.label!r}, elsewhere to {known_label!r}"
            )
    return ids


def _class_names(labels: set[str], given: dict[str, int]) -> tuple[str, ...]:
    names = {label_id: label for label, label_id in given.items()}
    free = (i for i in range(len(labels) + len(names)) if i not in names)
    names |= dict(zip(free, sorted(labels - given.keys()), strict=False))
    return tuple(names.get(i) or _hole_name(i, labels) for i in range(max(names, default=-1) + 1))


def _hole_name(label_id: int, taken: set[str]) -> str:
    name = f"class_{label_id}"
    while name in taken:
        name += "_"
    return name


def _with_actions(video: Video, actions: list[_Action], ids: Mapping[str, int]) -> Video:
    segments = np.array([(action.start, action.end) for action in actions], dtype=np.float64).reshape(-1, 2)
    labels = np.array([ids[action.label] for action in actions], dtype=np.int64)
    return replace(video, segments=segments, labels=labels)


def _video_entry(video: Video, class_names: Sequence[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"subset": video.subset}
    if video.duration is not None:
        entry["duration"] = video.duration
    if video.fps is not None:
        entry["fps"] = video.fps
    rows = zip(video.segments.tolist(), video.labels.tolist(), strict=True)
    entry["annotations"] = [
        {"segment": segment, "label": class_names[label], "label_id": label} for segment, label in rows
    ]
    return entry
