"""Annotations of ChronoViz, as CSV and as XML: the main category is the label, else the title."""

from __future__ import annotations

from collections.abc import Iterator

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number, seconds

COLUMNS = ("starttime", "endtime", "title", "annotation", "maincategory")
Row = tuple[float | None, float | None, str, str]
"""Start and end in seconds, label, place in the file."""


def holds_labels(document: Document) -> bool:
    """Whether it has the columns of such a table, or events with time intervals."""
    root = document.xml
    return document.header[: len(COLUMNS)] == COLUMNS or (
        root is not None and any(one.get("startTimeInterval") is not None for one in root.iter("event"))
    )


def read_labels(document: Document) -> LabelFile:
    """An action or a moment per annotation."""
    remarks: list[Remark] = []
    segments: list[LabelledSegment] = []
    for start, end, label, where in _of_table(document) if document.xml is None else _of_xml(document):
        if start is None or not label:
            remarks.append(Remark("an annotation without a time or a label is left out", where))
        else:
            segments.append(LabelledSegment(start, start if end is None else end, label, where))
    return LabelFile([LabelledVideo(document.stem, segments, complete=not remarks)], remarks)


def _of_table(document: Document) -> Iterator[Row]:
    for row in document.table[1:]:
        start, end, title, text, category = (*row.cells, *[""] * len(COLUMNS))[: len(COLUMNS)]
        yield seconds(start), seconds(end), category or title or text, document.where(row.line)


def _of_xml(document: Document) -> Iterator[Row]:
    assert document.xml is not None
    for place, event in enumerate(document.xml.iter("event"), 1):
        start, end = number(event.get("startTimeInterval")), number(event.get("endTimeInterval"))
        names = (one.get("name") or one.text or "" for one in event.iter("category"))
        category = next((name.strip() for name in names if name.strip()), "")
        lasting = event.get("isDuration", "").lower() == "true"
        yield (
            start,
            end if lasting else start,
            category or event.get("title", ""),
            document.where(item=f"event {place}"),
        )
