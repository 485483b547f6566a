"""Tables of BORIS with a row per event: START, STOP or POINT.

To version 7 a table is of one observation, which is described above it; from version 8 on it has a column of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from actionformer.formats.boris.events import Event, segments_of
from actionformer.formats.boris.media import of_first_file
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledVideo, Remark
from actionformer.formats.numbers import number, seconds

KINDS = ("START", "STOP", "POINT")
Row = Mapping[str, str]


def holds_labels(document: Document) -> bool:
    """Whether there is a header of such a table."""
    return _header(document) is not None


def read_labels(document: Document) -> LabelFile:
    """The events of all observations."""
    place = _header(document)
    assert place is not None
    above = {row.cells[0].casefold(): row.cells[1] for row in document.table[:place] if len(row.cells) > 1}
    observations: dict[str, list[tuple[Row, str]]] = {}
    for line, own in document.records(place):
        cells = above | own
        observations.setdefault(cells.get("observation id", ""), []).append((cells, document.where(line)))
    remarks: list[Remark] = []
    return LabelFile([_video(name, rows, document, remarks) for name, rows in observations.items()], remarks)


def _header(document: Document) -> int | None:
    return document.header_row({"time", "subject", "behavior"}, {"status", "behavior type"})


def _video(name: str, rows: list[tuple[Row, str]], document: Document, remarks: list[Remark]) -> LabelledVideo:
    media = [_media(cells) for cells, _ in rows]
    rows = of_first_file(rows, media, document.where(item=f"observation {name!r}"), remarks)
    before = len(remarks)
    events = [event for cells, where in rows if (event := _event(cells, where, remarks))]
    cells = rows[0][0]
    several = len(set(media)) > 1
    duration = None if several else number(cells.get("total length") or cells.get("media duration (s)"))
    segments = segments_of(events, remarks)
    return LabelledVideo(
        media[0] or name or document.stem,
        segments,
        fps=number(cells.get("fps")) or None,
        duration=duration or None,
        annotator=name,
        complete=len(remarks) == before,
    )


def _media(cells: Row) -> str:
    """The file of an event; nothing where it was coded live."""
    name = cells.get("media file path") or cells.get("media file name") or ""
    return "" if name.upper() in ("LIVE", "NA") else name


def _event(cells: Row, where: str, remarks: list[Remark]) -> Event | None:
    kind = (cells.get("status") or cells.get("behavior type") or "").upper()
    time, behavior = seconds(cells.get("time", "")), cells.get("behavior", "")
    if time is None or not behavior or kind not in KINDS:
        remarks.append(Remark("a row without a time, a behaviour and START, STOP or POINT is left out", where))
        return None
    time -= number(cells.get("time offset (s)")) or 0.0
    modifiers = "|".join(value for name, value in cells.items() if name.startswith("modifier"))
    return Event(time, behavior, cells.get("subject", ""), modifiers, kind, where)  # type: ignore[arg-type]
