"""Labels in a table with named columns: a row per action, written by hand, by a spreadsheet or by another program.

Tabs, semicolons or commas; seconds, `1:23.4`, milliseconds or frames, as the names of columns say; decimal points or
commas. Without a column of videos the table is of the video that is called as the file is, or as the sheet of a
spreadsheet that has several. Names of columns may be of several languages; a table without names is read where its
content leaves no doubt.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from actionformer.core.errors import InputError, listed
from actionformer.formats.csv_table.columns import Columns
from actionformer.formats.csv_table.layout import (
    cell,
    ends_in_rows,
    layout_of,
    may_be_ends,
    names_of,
    split_times,
    time,
    why_none,
)
from actionformer.formats.document import Document, TableRow
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import is_clock, is_date, is_timecode, seconds

FRAMES = "frames are counted from 0, and the end frame is not part of an action: if it is, correct the ends"

NO_TIME = "a label without a time is left out"
NO_LABEL = "a segment without a label is left out"
UNREADABLE = "a time that cannot be read is left out: expected seconds, 1:23.4 or a frame number"
TIMECODE = (
    "a timecode whose last number counts frames is left out: write it as seconds, as 0:00:01.5 for 00:00:01:15 at 30 "
    "frames a second, or as a number of a frame"
)
DATE = "a date is left out: write seconds since the beginning of the recording, of readings since their first row"
DAYS = (
    "all actions are shorter than 0.01 s: if these are times that a spreadsheet stores as days, format their cells as "
    "h:mm:ss.000 and save it again"
)
SHORT = 0.01
"""Seconds that actions last at least; so many days are a quarter of an hour."""
AS_ABOVE = "a row that names no video is taken to be of the video of the row above"
NO_VIDEO = "a row that names no video, nor does one above, is left out: name its video"


def holds_labels(document: Document) -> bool:
    """Whether there are columns of starts and labels."""
    return layout_of(document) is not None


def read_labels(document: Document) -> LabelFile:
    """The labels of a table.

    Raises:
        InputError: no columns of starts and labels, or parts of times, or starts and stops, that stand apart.
    """
    if (layout := layout_of(document)) is None:
        raise InputError(f"{document.path}: {why_none(document)}")
    if parts := split_times(layout):
        raise InputError(
            f"{document.path}: {listed(parts)} are parts of a time: join them in one column, such as 0:01:23.4, or say "
            "which one is all of it, as in --columns start=NAME end=NAME"
        )
    if (status := ends_in_rows(layout)) is not None:
        raise InputError(
            f"{document.path}: its column {status!r} says where actions start and stop: write a row per action, with "
            "its start and its end, or call the columns Time, Subject, Behavior and Status, as BORIS does"
        )
    columns = layout.columns
    names_videos = any(cell(row.cells, columns.place("video")) for row in layout.rows)
    reading = _Reading(document, columns, names_videos=names_videos)
    if layout.header is None and not document.columns:
        reading.say(f"no names of columns: read as {', '.join(names_of(columns))}", layout.rows[0])
    for row in layout.rows:
        reading.add(row)
    first = layout.header or layout.rows[0]
    if columns.start.unit == "frames" and columns.end is not None:
        reading.say(FRAMES, first)
    if unread := may_be_ends(layout):
        name = shlex.quote(f"end={unread[0]}")
        what = f"no column is known to be an end or a duration, so that rows are moments; {unread[0]!r} is not read"
        reading.say(f"{what}: if it is the end, give --columns {name}", first)
    if columns.start.unit == "seconds" and _may_be_days(
        [one for video in reading.videos.values() for one in video.segments]
    ):
        reading.say(DAYS, first)
    return LabelFile([video.made(columns.start.unit) for video in reading.videos.values()], reading.remarks)


def _may_be_days(segments: Sequence[LabelledSegment]) -> bool:
    """Whether actions seem to be timed in days, as spreadsheets store what they show as hours, minutes and seconds.

    Seconds of a day have many digits then, unlike milliseconds.
    """
    lengths = [one.end - one.start for one in segments]
    fine = any(round(time, 4) != time for one in segments for time in (one.start, one.end))
    return fine and any(lengths) and max(lengths) < SHORT and max(one.end for one in segments) < 1


@dataclass
class _Video:
    """A video while the table is read."""

    name: str
    annotator: str
    segments: list[LabelledSegment] = field(default_factory=list)
    fps: float | None = None
    duration: float | None = None
    subset: str | None = None
    group: str = ""
    subjects: set[str] = field(default_factory=set)
    complete: bool = True

    def made(self, unit: str) -> LabelledVideo:
        return LabelledVideo(
            self.name,
            self.segments,
            "frames" if unit == "frames" else "seconds",
            self.fps,
            self.duration,
            self.subset,
            self.annotator,
            group=self.group or (next(iter(self.subjects)) if len(self.subjects) == 1 else ""),
            complete=self.complete,
        )


@dataclass
class _Reading:
    document: Document
    columns: Columns
    videos: dict[tuple[str, str], _Video] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    names_videos: bool = False
    """Whether any row names its video."""
    above: str | None = None
    """The last video that a row has named."""

    def say(self, what: str, row: TableRow) -> None:
        self.remarks.append(Remark(what, self.document.where(row.line)))

    def add(self, row: TableRow) -> None:
        """Takes in a row; one with nothing but a video says that nothing happens in it."""
        cells = row.cells
        label, times = cell(cells, self.columns.label), self._times(row)
        if (video := self._video(row, labelled=bool(label or times))) is None:
            return
        start, end = times or (None, None)
        if label and start is not None and end is not None:
            layer = cell(cells, self.columns.place("layer")) or cell(cells, self.columns.place("subject"))
            where = self.document.where(row.line)
            video.segments.append(LabelledSegment(start, end, label, where, layer, self._is_sure(cells)))
        elif label or times:
            video.complete = False
            self.say(NO_LABEL if not label else NO_TIME if times is None else self._unread(cells), row)

    def _unread(self, cells: Sequence[str]) -> str:
        """What to say of times that cannot be read."""
        columns = self.columns
        known = [one for one in (columns.start, columns.end, columns.duration) if one]
        given = [cell(cells, one.place) for one in known]
        if any(map(is_timecode, given)) or any(one.form == "ff" for one in known):
            return TIMECODE
        return DATE if any(map(is_date, given)) else UNREADABLE

    def _video(self, row: TableRow, *, labelled: bool) -> _Video | None:
        """The video of a row; None if nothing tells it."""
        cells = row.cells
        if (name := self._name(row, labelled=labelled)) is None:
            return None
        annotator = cell(cells, self.columns.place("annotator"))
        video = self.videos.setdefault((name, annotator), _Video(name, annotator))
        video.fps = video.fps or _positive(cells, self.columns.place("fps"))
        video.duration = video.duration or self._whole(cells)
        video.subset = video.subset or cell(cells, self.columns.place("subset")) or None
        video.group = video.group or cell(cells, self.columns.place("group"))
        video.subjects.add(cell(cells, self.columns.place("subject")))
        return video

    def _name(self, row: TableRow, *, labelled: bool) -> str | None:
        """What the video of a row is called, of an empty cell as in the row above; as the file where no row says."""
        if not self.names_videos:
            return self.document.stem
        name = cell(row.cells, self.columns.place("video"))
        if not name and labelled:
            self.say(AS_ABOVE if self.above else NO_VIDEO, row)
        self.above = name or self.above
        return name or (self.above if labelled else None)

    def _whole(self, cells: Sequence[str]) -> float | None:
        """Seconds that the video lasts."""
        column = self.columns.video_duration
        value = time(cells, column) if column and column.unit != "frames" else None
        return value if value and value > 0 else None

    def _is_sure(self, cells: Sequence[str]) -> bool:
        """Whether the times are seconds without doubt: of a clock, or made of another unit that the column names."""
        columns = self.columns
        given = [column for column in (columns.start, columns.end, columns.duration) if column]
        return columns.start.unit not in ("seconds", "frames") or any(is_clock(cell(cells, one.place)) for one in given)

    def _times(self, row: TableRow) -> tuple[float | None, float | None] | None:
        """Start and end, each None if it cannot be read; None if the row states none."""
        columns, cells = self.columns, row.cells
        given = [cell(cells, column.place) for column in (columns.start, columns.end, columns.duration) if column]
        if not any(given):
            return None
        if columns.start.unit == "frames" and len({is_clock(one) for one in given if one}) > 1:
            return None, None  # a time of a clock and a number of a frame
        start = time(cells, columns.start)
        if columns.end and cell(cells, columns.end.place):
            return start, time(cells, columns.end)
        if columns.duration and cell(cells, columns.duration.place):
            lasting = time(cells, columns.duration)
            return start, None if start is None or lasting is None else start + lasting
        return start, start


def _positive(cells: Sequence[str], place: int | None) -> float | None:
    value = seconds(cell(cells, place))
    return value if value and value > 0 else None
