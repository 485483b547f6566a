"""A table with a row a frame: its number or its time, and its label; other columns, such as of sensors, are not read.

Without a column that is called label or the like, all columns but the first are labels if they hold text alone, as in
the tables of Solomon Coder. A column of videos tells several apart, else the video is named as the file is. Readings
with labels and without a clock are rows that come evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from actionformer.core.errors import InputError, listed
from actionformer.formats.document import Document, TableRow
from actionformer.formats.frame_runs import FRAMES, TIMES, FrameClock, background_remarks, frame_clock, runs
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number
from actionformer.formats.row_times import RowTimes, evenly, is_time, row_times
from actionformer.formats.units import parts_of_time
from actionformer.formats.words import in_english

LABELS = frozenset({"label", "labels", "class", "behavior", "behaviour", "action", "activity", "annotation", "state"})
VIDEOS = frozenset({"video", "video_id", "file", "filename", "recording", "recording_id"})
ENDS = frozenset({"end", "stop", "offset", "duration", "status", "event_type", "end_time", "stop_time"})
"""Columns of other tables, in which a row is more than a frame."""
PREAMBLE = 10
"""Rows among which the header is looked for."""
COUNTERS = FRAMES | {"sample", "row"}
"""Columns that count the rows."""


@dataclass(frozen=True)
class _Layout:
    """How a table is laid out."""

    header: TableRow
    labels: Sequence[int]
    """Columns."""
    clock: int | None
    """The column that tells when a row is; None where rows come evenly."""
    name: str
    """Of that column, with what stands below it."""
    readings: bool
    """Whether other columns hold numbers."""
    videos: dict[str, list[TableRow]]


def holds_labels(document: Document) -> bool:
    """Whether rows follow one another in even steps, and labels go on for a while."""
    return _layout(document) is not None


def read_labels(document: Document) -> LabelFile:
    """A segment for each stretch of rows with equal labels, of every column of labels.

    Raises:
        InputError: each part of a time has a column.
    """
    layout = _layout(document)
    assert layout is not None
    parts = parts_of_time(layout.header.cells)
    if layout.clock is not None and layout.header.cells[layout.clock] in parts:
        raise InputError(
            f"{document.where(layout.header.line)}: {listed(parts)} are parts of a time: join them in one column, such "
            "as 10:00:00.5"
        )
    videos, remarks = [], []
    for name, rows in layout.videos.items():
        clock, times = _clock(layout, rows)
        assert clock is not None
        segments = _segments(document, layout, rows, clock)
        if times and times.sure:
            segments = [replace(one, sure=True) for one in segments]
        videos.append(LabelledVideo(name, segments, clock.unit))
        remarks += [Remark(times.remark, document.where(rows[0].line))] if times and times.remark else []
    labels = {cell for rows in layout.videos.values() for column in layout.labels for cell in _cells(rows, column)}
    return LabelFile(videos, [*remarks, *background_remarks(labels, document.where())])


def _segments(
    document: Document, layout: _Layout, rows: Sequence[TableRow], clock: FrameClock
) -> list[LabelledSegment]:
    lines = [document.where(row.line) for row in rows]
    layers = [layout.header.cells[column] if len(layout.labels) > 1 else "" for column in layout.labels]
    return [
        one
        for column, layer in zip(layout.labels, layers, strict=True)
        for one in clock.segments(_cells(rows, column), lines, layer)
    ]


def _layout(document: Document) -> _Layout | None:
    """How the table is laid out; None if it has no row a frame."""
    place = _place_of_header(document)
    rows = document.table[place + 1 :]
    header = [in_english(name) for name in document.table[place].cells] if rows else []
    if set(header) & ENDS or len(rows) < 3 or not (labels := _label_columns(header, rows)):
        return None
    clocks = [
        *(column for column, name in enumerate(header) if is_time(name)),
        *(column for column, name in enumerate(header) if name in COUNTERS),
    ]
    others = [column for column, name in enumerate(header) if column not in (*labels, *clocks) and name not in VIDEOS]
    readings = any(_are_numbers(rows, column) for column in others)
    evenly = [None] if others and not clocks and all(_are_numbers(rows, column) for column in others) else []
    for clock in [*clocks, *evenly]:
        name, below = ("", "") if clock is None else (header[clock], _cell(rows[0], clock))
        has_units = clock is not None and row_times([below], name) is None
        videos = _videos(document, header, rows[1:] if has_units else rows)
        layout = _Layout(
            document.table[place], labels, clock, f"{name} {below}" if has_units else name, readings, videos
        )
        if all(_clock(layout, own)[0] is not None and _goes_on(own, labels) for own in videos.values()):
            return layout
    return None


def _goes_on(rows: Sequence[TableRow], labels: Sequence[int]) -> bool:
    return all(2 * sum(1 for _ in runs(_cells(rows, column))) <= len(rows) for column in labels)


def _place_of_header(document: Document) -> int:
    """The first row that names labels, as programs write what stands above; else the first one."""
    first = document.table[:PREAMBLE]
    return next((place for place, row in enumerate(first) if LABELS & set(map(in_english, row.cells))), 0)


def _label_columns(header: Sequence[str], rows: Sequence[TableRow]) -> list[int]:
    if named := [column for column, name in enumerate(header) if name in LABELS]:
        return named
    others = range(1, len(header))
    has_text = all(number(cell) is None for row in rows for cell in row.cells[1:])
    return list(others) if has_text and header[0] in TIMES and not set(header) & VIDEOS else []


def _are_numbers(rows: Sequence[TableRow], column: int) -> bool:
    """Whether a column holds numbers, but perhaps for a unit in the first row."""
    return all(number(cell) is not None or not cell for cell in _cells(rows[1:], column))


def _videos(document: Document, header: Sequence[str], rows: Sequence[TableRow]) -> dict[str, list[TableRow]]:
    column = next((column for column, name in enumerate(header) if name in VIDEOS), None)
    videos: dict[str, list[TableRow]] = {}
    for row in rows:
        name = document.stem if column is None else _cell(row, column)
        videos.setdefault(name, []).append(row)
    return videos


def _clock(layout: _Layout, rows: Sequence[TableRow]) -> tuple[FrameClock | None, RowTimes | None]:
    """The clock of a video's rows, None where they do not come evenly; and the times that it is made of, if any."""
    if layout.clock is None:
        return frame_clock([float(row) for row in range(len(rows))], "frames"), None
    cells = _cells(rows, layout.clock)
    if layout.name in COUNTERS:
        counted = [number(cell) for cell in cells]
        start = min(counted[0] or 0.0, 1.0)  # frames that count from 1
        return frame_clock([None if one is None else one - start for one in counted], "frames"), None
    times = row_times(cells, layout.name, readings=layout.readings)
    return (None, None) if times is None else (frame_clock(evenly(times.seconds), "seconds"), times)


def _cells(rows: Sequence[TableRow], column: int) -> list[str]:
    return [_cell(row, column) for row in rows]


def _cell(row: TableRow, column: int) -> str:
    return row.cells[column] if column < len(row.cells) else ""
