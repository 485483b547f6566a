"""A row a frame and a column of 0 and 1 a class, as DeepEthogram and the binary tables of BORIS and A-SOID.

The first column counts frames from 0 (or 1), or tells the time of each row; several classes may be 1 at once. A column
`background` is what the others leave over, and is not read. The video is named as the file is.
"""

from __future__ import annotations

from collections.abc import Iterator

from actionformer.formats.document import Document
from actionformer.formats.frame_runs import FrameClock, is_background, row_clock
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark

ON, OFF, UNKNOWN = frozenset({"1", "1.0", "true"}), frozenset({"0", "0.0", "false"}), frozenset({"-1", "-1.0"})


def holds_labels(document: Document) -> bool:
    """Whether the first column is a clock, and all others are of 0 and 1."""
    width = len(document.header)
    return width > 1 and all(
        len(row.cells) == width and {cell.casefold() for cell in row.cells[1:]} <= ON | OFF | UNKNOWN
        for row in document.table[1:]
    ) and row_clock(document) is not None  # fmt: skip


def read_labels(document: Document) -> LabelFile:
    """A segment for each stretch of 1 in a column."""
    clock = row_clock(document)
    assert clock is not None
    names = [(column, name) for column, name in enumerate(document.table[0].cells) if column]
    used = [(column, name) for column, name in names if not is_background(name)]
    segments = [one for column, name in used for one in _column(document, clock, column, name)]
    remarks = [Remark(f"the column {name!r} is what the others leave over, and is not read", document.where(1))
               for _, name in names if is_background(name)]  # fmt: skip
    remarks += _unlabelled(document)
    return LabelFile([LabelledVideo(document.stem, segments, clock.unit)], remarks, [name for _, name in used])


def _column(document: Document, clock: FrameClock, column: int, name: str) -> Iterator[LabelledSegment]:
    rows = document.table[1:]
    labels = [name if row.cells[column].casefold() in ON else "" for row in rows]
    return clock.segments(labels, [document.where(row.line) for row in rows])


def _unlabelled(document: Document) -> list[Remark]:
    what = "a frame that nobody has labelled (-1) is read as background"
    rows = (row for row in document.table[1:] if set(row.cells[1:]) & UNKNOWN)
    return [Remark(what, document.where(row.line)) for row in rows]
