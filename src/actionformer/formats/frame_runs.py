"""Labels of frames as segments: neighbours of one label are one segment, and background is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelledSegment, Remark, Unit
from actionformer.formats.numbers import seconds

BACKGROUND = frozenset({"", "background", "bg", "sil", "null", "none", "action_start", "action_end", "-1"})
"""Labels, in lower case, of frames in which nothing happens: of GTEA, Breakfast, WEAR, 50 Salads and others."""
FRAMES = frozenset(
    {
        "",
        "frame",
        "frames",
        "frame_id",
        "frame_index",
        "frame_idx",
        "frame_number",
        "frame number",
        "index",
        "unnamed: 0",
    }
)
TIMES = frozenset({"time", "time_s", "time (s)", "time [s]", "seconds", "sec", "timestamp", "timestamp (s)", "t"})
"""Columns, in lower case, that count the rows of a table."""
GAP = 1.5
"""Steps between two rows from which on they are no neighbours."""


def runs(labels: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """First place, place after the last one and label of every stretch of equal labels."""
    start = 0
    for label, same in groupby(labels):
        end = start + sum(1 for _ in same)
        yield start, end, label
        start = end


def is_background(label: str) -> bool:
    """Whether a label says that nothing happens."""
    return label.casefold() in BACKGROUND


def background_remarks(labels: Iterable[str], where: str) -> list[Remark]:
    """What is told of labels that were left out as background."""
    left_out = sorted({label for label in labels if label and is_background(label)})
    return [Remark(f"frames of {label!r} are background: no action", where) for label in left_out]


@dataclass(frozen=True)
class FrameClock:
    """When the rows of a table with a row a frame are."""

    times: Sequence[float]
    unit: Unit
    step: float
    """Between neighbouring rows."""

    def segments(self, labels: Sequence[str], lines: Sequence[str], layer: str = "") -> Iterator[LabelledSegment]:
        """The segments of a label a row; where rows are missing a segment ends.

        Args:
            labels: one a row; background is none.
            lines: where each row is, for messages.
            layer: of all segments.
        """
        for first, last, label in runs(labels):
            if not is_background(label):
                for start, end in self._whole(first, last):
                    yield LabelledSegment(self.times[start], self._end(end - 1), label, lines[start], layer)

    def _whole(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The rows from `first` until `last`, cut where some are missing."""
        cuts = [row for row in range(first + 1, last) if self._gap(row - 1)]
        yield from zip([first, *cuts], [*cuts, last], strict=True)

    def _gap(self, row: int) -> bool:
        return self.times[row + 1] - self.times[row] > GAP * self.step

    def _end(self, row: int) -> float:
        """Where a row ends: with the next one, unless that is missing."""
        is_last = row + 1 == len(self.times) or self._gap(row)
        return self.times[row] + self.step if is_last else self.times[row + 1]


def frame_clock(times: Sequence[float | None], unit: Unit) -> FrameClock | None:
    """The clock of rows that follow one another in steps of about one size; None if they do not."""
    known = [time for time in times if time is not None]
    steps = [after - before for before, after in pairwise(known)]
    if len(known) != len(times) or not steps or min(steps) <= 0:
        return None
    step = median(steps)
    even = sum(abs(one - step) <= step / 2 for one in steps)
    return FrameClock(known, unit, step) if even >= 0.9 * len(steps) else None


def row_clock(document: Document) -> FrameClock | None:
    """The clock that the first column of a table is, if it counts frames or tells times in even steps."""
    if len(document.table) < 3 or document.header[0] not in FRAMES | TIMES:
        return None
    cells = [row.cells[0] for row in document.table[1:]]
    if document.header[0] in FRAMES:
        counted = [int(cell) if cell.isdigit() else None for cell in cells]
        start = min(counted[0] or 0, 1)  # frames that count from 1
        return frame_clock([None if one is None else one - start for one in counted], "frames")
    return frame_clock([seconds(cell) for cell in cells], "seconds")
