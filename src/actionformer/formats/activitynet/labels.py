"""Labels in the layout of ActivityNet, as data sets vary it.

HACS writes durations as text, COIN `annotation` for `annotations`, WEAR marks what is no action with "null"; the
files of BSN and BMN are the database alone, with `duration_second`. Where a whole subset has no annotations, its labels
are not published, and its videos are no examples of nothing happening.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number, pair

NOTHING = "null"
HIDDEN = "which has no labels at all"
"""What is said of a subset whose labels are not published."""


def holds_labels(document: Document) -> bool:
    """Whether it is a database of videos."""
    return bool(_database(document))


def read_labels(document: Document) -> LabelFile:
    """The annotations of every video."""
    database, remarks = _database(document), list[Remark]()
    videos = [_video(document, name, entry, remarks) for name, entry in database.items()]
    hidden = _hidden_subsets(videos)
    remarks += [
        Remark(
            f"a video of subset {video.subset}, {HIDDEN}, is left out",
            document.where(item=video.name),
        )
        for video in videos
        if video.subset in hidden
    ]
    return LabelFile([video for video in videos if video.subset not in hidden], remarks, _class_names(database))


def _database(document: Document) -> Mapping[str, Mapping[str, Any]]:
    content = document.json
    if not isinstance(content, dict):
        return {}
    database = content.get("database", content)
    if not isinstance(database, dict) or not all(isinstance(entry, dict) for entry in database.values()):
        return {}
    is_bare = database is content
    return database if not is_bare or all(map(_is_bare_entry, database.values())) else {}


def _is_bare_entry(entry: Mapping[str, Any]) -> bool:
    return "duration_second" in entry and isinstance(entry.get("annotations"), list)


def _annotations(entry: Mapping[str, Any]) -> list[Any]:
    found = entry.get("annotations", entry.get("annotation"))
    return found if isinstance(found, list) else []


def _video(document: Document, name: str, entry: Mapping[str, Any], remarks: list[Remark]) -> LabelledVideo:
    segments, complete = [], True
    for place, one in enumerate(_annotations(entry)):
        where = document.where(item=f"video {name!r}, annotation {place}")
        if (segment := _segment(one, where)) is None:
            remarks.append(Remark("an annotation without [start, end] or without a label is left out", where))
            complete = False
        elif segment.label == NOTHING:
            remarks.append(Remark(f"segments of {NOTHING!r} are background: no action", where))
        else:
            segments.append(segment)
    duration, fps, subset = (entry.get(key) for key in ("duration", "fps", "subset"))
    duration = duration if duration is not None else entry.get("duration_second")
    if duration is not None and number(duration) is None:
        remarks.append(Remark("a duration that is no number is left out", document.where(item=f"video {name!r}")))
    return LabelledVideo(
        name,
        segments,
        fps=number(fps) or None,
        duration=number(duration) or None,
        subset=subset if isinstance(subset, str) and subset else None,
        group=str(entry.get("group") or entry.get("subject") or ""),
        complete=complete,
    )


def _segment(one: Any, where: str) -> LabelledSegment | None:
    times = pair(one.get("segment")) if isinstance(one, dict) else None
    label = one.get("label") if times else None
    return LabelledSegment(*times, label, where) if times and isinstance(label, str) and label else None


def _hidden_subsets(videos: list[LabelledVideo]) -> set[str]:
    """Subsets without any annotation, of a file in which others have some."""
    labelled = {video.subset for video in videos if video.segments}
    return {video.subset for video in videos if video.subset and video.subset not in labelled} if labelled else set()


def _class_names(database: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The classes by their `label_id`, where the file numbers all of them from 0 on."""
    numbers = {one["label_id"]: one["label"] for one in _numbered(database)}
    labels = {one.get("label") for entry in database.values() for one in _annotations(entry) if isinstance(one, dict)}
    is_whole = sorted(numbers) == list(range(len(numbers))) and labels - {NOTHING} == set(numbers.values())
    return [numbers[place] for place in sorted(numbers)] if is_whole else []


def _numbered(database: Mapping[str, Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for entry in database.values():
        for one in _annotations(entry):
            is_numbered = (
                isinstance(one, dict) and type(one.get("label_id")) is int and isinstance(one.get("label"), str)
            )
            if is_numbered and one["label"] != NOTHING:
                yield one
