"""Event logs of Noldus Observer XT: a row per event, with its time, its behaviour and how long its state lasts."""

from __future__ import annotations

from actionformer.formats.document import Document, Record
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number, seconds

NEEDED = {"behavior", "event_type"}
TIMES = ("time_relative_sf", "time_relative_hmsf", "time_relative_hms")
NO_DURATION = "a state without a duration is left out"


def holds_labels(document: Document) -> bool:
    """Whether there is a header of such a log."""
    return _header(document) is not None


def read_labels(document: Document) -> LabelFile:
    """States and points of all observations; rows that end a state say what its start has said."""
    place = _header(document)
    assert place is not None
    remarks: list[Remark] = []
    videos: dict[str, list[LabelledSegment]] = {}
    partly: set[str] = set()
    for record in document.records(place):
        name, before = record.cells.get("observation") or document.stem, len(remarks)
        segments = videos.setdefault(name, [])
        if (segment := _segment(record, document, remarks)) is not None:
            segments.append(segment)
        partly |= {name} if len(remarks) > before else set()
    names = [document.stem]
    found = [LabelledVideo(name, own, other_names=names, complete=name not in partly) for name, own in videos.items()]
    return LabelFile(found, remarks)


def _header(document: Document) -> int | None:
    return document.header_row(NEEDED, set(TIMES), first=50)


def _segment(record: Record, document: Document, remarks: list[Remark]) -> LabelledSegment | None:
    cells, where = record.cells, document.where(record.line)
    kind = cells["event_type"].casefold()
    behavior = cells["behavior"]
    start = next((time for name in TIMES if (time := seconds(cells.get(name))) is not None), None)
    if kind == "state stop" or not behavior:
        return None
    if start is None:
        remarks.append(Remark("an event without a time is left out", where))
        return None
    lasting = number(cells.get("duration_sf")) if kind == "state start" else 0.0
    if lasting is None:
        remarks.append(Remark(NO_DURATION, where))
        return None
    return LabelledSegment(start, start + lasting, behavior, where, cells.get("subject", ""))
