"""A table with a row a frame: its number or its time, and its label; other columns, such as of sensors, are not read.

Without a column that is called label or the like, all columns but the first are labels if they hold text alone, as in
the tables of Solomon Coder. A column of videos tells several apart, else the video is named as the file is.
"""

from __future__ import annotations

from collections.abc import Sequence

from actionformer.formats.document import Document, TableRow
from actionformer.formats.frame_runs import FRAMES, TIMES, FrameClock, background_remarks, frame_clock, runs
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number, seconds

LABELS = frozenset({"label", "labels", "class", "behavior", "behaviour", "action", "activity", "annotation", "state"})
VIDEOS = frozenset({"video", "video_id", "file", "filename", "recording", "recording_id"})
ENDS = frozenset({"end", "stop", "offset", "duration", "status", "event_type", "end_time", "stop_time"})
"""Columns of other tables, in which a row is more than a frame."""
EPOCH = 1e8
"""Seconds: a table that begins later tells the time of the day."""


def holds_labels(document: Document) -> bool:
    """Whether rows follow one another in even steps, and labels go on for a while."""
    columns = _label_columns(document)
    return bool(columns) and all(
        _clock(document, rows) is not None
        and all(2 * sum(1 for _ in runs(_cells(rows, column))) <= len(rows) for column in columns)
        for rows in _videos(document).values()
    )


def read_labels(document: Document) -> LabelFile:
    """A segment for each stretch of rows with equal labels, of every column of labels."""
    videos, remarks = [], []
    for name, rows in _videos(document).items():
        clock = _clock(document, rows)
        assert clock is not None
        videos.append(LabelledVideo(name, _segments(document, rows, clock), clock.unit))
        remarks += _epoch_remark(document, rows)
    labels = {cell for column in _label_columns(document) for cell in _cells(document.table[1:], column)}
    return LabelFile(videos, [*remarks, *background_remarks(labels, document.where())])


def _segments(document: Document, rows: Sequence[TableRow], clock: FrameClock) -> list[LabelledSegment]:
    columns, lines = _label_columns(document), [document.where(row.line) for row in rows]
    layers = [document.table[0].cells[column] if len(columns) > 1 else "" for column in columns]
    return [
        one
        for column, layer in zip(columns, layers, strict=True)
        for one in clock.segments(_cells(rows, column), lines, layer)
    ]


def _label_columns(document: Document) -> list[int]:
    header = document.header
    if _clock_column(document) is None or set(header) & ENDS or len(document.table) < 4:
        return []
    if named := [column for column, name in enumerate(header) if name in LABELS]:
        return named
    others = range(1, len(header))
    has_text = all(number(cell) is None for row in document.table[1:] for cell in row.cells[1:])
    return list(others) if has_text and header[0] in TIMES and not set(header) & VIDEOS else []


def _clock_column(document: Document) -> int | None:
    return next((column for column, name in enumerate(document.header) if name in FRAMES | TIMES), None)


def _videos(document: Document) -> dict[str, list[TableRow]]:
    column = next((column for column, name in enumerate(document.header) if name in VIDEOS), None)
    videos: dict[str, list[TableRow]] = {}
    for row in document.table[1:]:
        name = document.stem if column is None else _cell(row, column)
        videos.setdefault(name, []).append(row)
    return videos


def _clock(document: Document, rows: Sequence[TableRow]) -> FrameClock | None:
    column = _clock_column(document)
    assert column is not None
    times = [seconds(cell) for cell in _cells(rows, column)]
    if document.header[column] in FRAMES:
        return frame_clock(times, "frames")
    zero = times[0] if times[0] is not None and times[0] > EPOCH else 0.0
    return frame_clock([None if time is None else time - zero for time in times], "seconds")


def _epoch_remark(document: Document, rows: Sequence[TableRow]) -> list[Remark]:
    column = _clock_column(document)
    assert column is not None
    first = seconds(_cell(rows[0], column))
    is_epoch = first is not None and first > EPOCH and document.header[column] in TIMES
    what = "times are of the clock on the wall: they count from the first row on"
    return [Remark(what, document.where(rows[0].line))] if is_epoch else []


def _cells(rows: Sequence[TableRow], column: int) -> list[str]:
    return [_cell(row, column) for row in rows]


def _cell(row: TableRow, column: int) -> str:
    return row.cells[column] if column < len(row.cells) else ""
