"""Tables of BORIS with a row per bout: a state with start and stop, or a point."""

from __future__ import annotations

from actionformer.formats.boris.events import NO_SUBJECT
from actionformer.formats.boris.media import of_first_file
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number, seconds

KINDS = {"STATE", "POINT"}
Row = tuple[dict[str, str], str]
"""Name of a column -> value, and the place in the file."""


def holds_labels(document: Document) -> bool:
    """Whether there is the header of such a table, or rows of one without it."""
    return {"behavior type", "start (s)", "stop (s)"} <= set(document.header) or _kind_column(document) is not None


def read_labels(document: Document) -> LabelFile:
    """The bouts of all observations."""
    observations: dict[str, list[Row]] = {}
    for cells, where in _rows(document):
        observations.setdefault(cells["observation id"], []).append((cells, where))
    remarks: list[Remark] = []
    return LabelFile([_video(name, rows, document, remarks) for name, rows in observations.items()], remarks)


def _rows(document: Document) -> list[Row]:
    kind = _kind_column(document)
    if kind is None:
        return [(cells, document.where(line)) for line, cells in document.records()]
    return [(_without_header(list(row.cells), kind), document.where(row.line)) for row in document.table]


def _kind_column(document: Document) -> int | None:
    """The column that says STATE or POINT in every row, of a table without a header."""
    rows = [row.cells for row in document.table]
    for place in range(4, min((len(row) for row in rows), default=0) - 2):
        if all(row[place] in KINDS for row in rows):
            return place
    return None


def _without_header(cells: list[str], kind: int) -> dict[str, str]:
    """Columns by their places around that of the kind, and before the numbers of length and rate."""
    media = 2 if number(cells[3]) is not None or cells[3] == "NA" else 3
    return {
        "observation id": cells[0],
        "media file": cells[media],
        "total length": cells[media + 1],
        "fps": cells[media + 2],
        "subject": cells[kind - 4],
        "behavior": cells[kind - 3],
        "start (s)": cells[kind + 1],
        "stop (s)": cells[kind + 2],
    }


def _video(name: str, rows: list[Row], document: Document, remarks: list[Remark]) -> LabelledVideo:
    media = [_media(cells) for cells, _ in rows]
    rows = of_first_file(rows, media, document.where(item=f"observation {name!r}"), remarks)
    segments = [segment for cells, where in rows if (segment := _segment(cells, where, remarks))]
    cells = rows[0][0]
    length = number(cells.get("total length") or cells.get("media duration (s)"))
    return LabelledVideo(
        media[0] or name or document.stem,
        segments,
        fps=number(cells.get("fps") or cells.get("fps (frame/s)")) or None,
        duration=(length or None) if len(set(media)) == 1 and media[0] else None,
        annotator=name,
        complete=len(segments) == len(rows),
    )


def _media(cells: dict[str, str]) -> str:
    name = cells.get("media file") or cells.get("media file name") or ""
    return "" if name.upper() in ("LIVE", "NA") else name


def _segment(cells: dict[str, str], where: str, remarks: list[Remark]) -> LabelledSegment | None:
    start, stop, behavior = seconds(cells.get("start (s)")), seconds(cells.get("stop (s)")), cells.get("behavior", "")
    if start is None or stop is None or not behavior:
        remarks.append(Remark("a row without a behaviour, a start and a stop is left out", where))
        return None
    offset = number(cells.get("time offset (s)")) or 0.0
    return LabelledSegment(start - offset, stop - offset, behavior, where, cells.get("subject") or NO_SUBJECT)
