"""JSON `{video: {"subset", "duration", "actions": [[class, start, end], ...]}}`: MultiTHUMOS, Charades, Smarthome.

Classes are numbers, of MultiTHUMOS from 1 and of Charades from 0; a list of classes beside the file names them.
Times are seconds; in Toyota Smarthome's file they are frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from actionformer.formats.class_list import class_list
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number, pair

LISTS = ("class_list.txt", "Charades_v1_classes.txt", "all_labels.txt", "mapping.txt")
SMARTHOME = re.compile(r"P\d+T\d+C\d+")
"""The name of a video of Toyota Smarthome: person, take and camera."""


def holds_labels(document: Document) -> bool:
    """Whether every entry has actions, the first of which are a class and two times."""
    content = document.json
    return isinstance(content, dict) and bool(content) and all(map(_is_entry, content.values()))


def read_labels(document: Document) -> LabelFile:
    """The actions of every video."""
    names = {_code(code): name for code, name in class_list(document, *LISTS).items()}
    used = sorted({one[0] for entry in document.json.values() for one in entry["actions"]})
    labels = {one: names.get(one, str(one)) for one in used}
    counts_frames = all(map(_is_whole, document.json.values())) and all(map(SMARTHOME.fullmatch, document.json))
    videos = [_video(document, name, entry, labels, counts_frames) for name, entry in document.json.items()]
    what = f"a class has a number and no name: put a list of classes beside the file, called {LISTS[0]}"
    remarks = [Remark(what, document.where(item=f"class {one}")) for one in used if one not in names]
    return LabelFile(videos, remarks, list(dict.fromkeys(labels.values())))


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("actions"), list) or "duration" not in entry:
        return False
    return all(
        isinstance(one, list) and len(one) == 3 and type(one[0]) is int and pair(one[1:]) for one in entry["actions"]
    )


def _is_whole(entry: Mapping[str, Any]) -> bool:
    times = [entry["duration"], *(time for one in entry["actions"] for time in one[1:])]
    return all(type(time) is int or time == int(time) for time in times)


def _code(text: str) -> int:
    """The number of a class, that is written as 12 or c012."""
    digits = text.lstrip("cC")
    return int(digits) if digits.isdigit() else -1


def _video(
    document: Document, name: str, entry: Mapping[str, Any], labels: Mapping[int, str], counts_frames: bool
) -> LabelledVideo:
    duration, subset = number(entry["duration"]), entry.get("subset")
    return LabelledVideo(
        name,
        list(_segments(document, name, entry["actions"], labels)),
        unit="frames" if counts_frames else "seconds",
        duration=None if counts_frames or not duration else duration,
        subset=subset if isinstance(subset, str) and subset else None,
    )


def _segments(
    document: Document, name: str, actions: Iterable[Any], labels: Mapping[int, str]
) -> Iterator[LabelledSegment]:
    for place, (one, start, end) in enumerate(actions):
        where = document.where(item=f"video {name!r}, action {place}")
        yield LabelledSegment(float(start), float(end), labels[one], where)
