"""Projects of BORIS: what was coded at which moment of an observation.

The two ends of a state are two events that look alike. Files that were queued in a player run on one timeline, files of
other players beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from actionformer.formats.boris.events import Event, Recording, in_recordings, segments_of
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledVideo, Remark
from actionformer.formats.numbers import number


def holds_labels(document: Document) -> bool:
    """Whether it is a project."""
    content = document.json
    return isinstance(content, dict) and isinstance(content.get("observations"), dict) and "behaviors_conf" in content


def read_labels(document: Document) -> LabelFile:
    """The events of all observations; of each the name is that of an annotator."""
    content: dict[str, Any] = document.json
    points = {
        str(one.get("code", "")): str(one.get("type", "")).lower().startswith("point")
        for one in content["behaviors_conf"].values()
    }
    remarks: list[Remark] = []
    videos: list[LabelledVideo] = []
    for name, observation in content["observations"].items():
        where, before = document.where(item=f"observation {name!r}"), len(remarks)
        zero = _zero(observation, where, remarks)
        rows = observation.get("events") or ()
        events = [event for row in rows for event in _event(row, zero, points, where, remarks)]
        if not rows:
            remarks.append(Remark("an observation without events is left out, as nobody may have coded it", where))
            continue
        segments = segments_of(events, remarks)
        files = list(_files(observation)) or [Recording(name)]
        complete = len(remarks) == before
        videos += [replace(one, complete=complete) for one in in_recordings(segments, files, name, remarks)]
    return LabelFile(videos, remarks)


def _zero(observation: Mapping[str, Any], where: str, remarks: list[Remark]) -> float:
    """The time that its first file begins at: BORIS adds an offset to the times of events as they are coded.

    With `media_creation_date_as_offset` it adds the date of the file, in seconds since 1970, as well.
    """
    zero = number(observation.get("time offset")) or 0.0
    if not observation.get("media_creation_date_as_offset"):
        return zero
    dates = (observation.get("media_info") or {}).get("media_creation_time") or {}
    if len(dates) == 1:
        return zero + (number(next(iter(dates.values()))) or 0.0)
    what = "times that count from the dates of several files cannot be placed: export tabular events, import these"
    remarks.append(Remark(what, where))
    return zero


def _event(row: Any, zero: float, points: Mapping[str, bool], where: str, remarks: list[Remark]) -> Iterator[Event]:
    time = number(row[0]) if isinstance(row, list) and len(row) >= 3 else None
    if time is None:
        remarks.append(Remark("an event without a time is left out", where))
    elif (behavior := str(row[2])) not in points:
        remarks.append(Remark(f"events of {behavior!r}, which is not in the ethogram, are left out", where))
    else:
        modifiers = str(row[3]) if len(row) > 3 else ""
        kind = "POINT" if points[behavior] else "TOGGLE"
        yield Event(time - zero, behavior, str(row[1]), modifiers, kind, f"{where}, {time:g} s")  # type: ignore[arg-type]


def _files(observation: Mapping[str, Any]) -> Iterator[Recording]:
    """The files of the first player; older projects list the files of all players."""
    files = observation.get("file") or []
    first = files[:1] if isinstance(files, list) else files.get("1") or []
    info = observation.get("media_info") or {}
    for path in first:
        length, fps = ((info.get(key) or {}).get(path) for key in ("length", "fps"))
        yield Recording(str(path), number(length) or None, number(fps) or None)
