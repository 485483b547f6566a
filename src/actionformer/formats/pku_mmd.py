"""PKU-MMD: `label,start,end,confidence` a row without a header; frames at 30 a second, confidence 1 or 2.

Classes are numbers. The video is named as the file is, such as `0002-L`.
"""

from __future__ import annotations

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo

RATE = 30.0
CONFIDENCES = {"1", "2"}


def holds_labels(document: Document) -> bool:
    """Whether every row is four whole numbers of that kind."""
    return bool(document.table) and all(
        len(row.cells) == 4
        and all(cell.isdigit() for cell in row.cells)
        and row.cells[3] in CONFIDENCES
        and int(row.cells[1]) <= int(row.cells[2])
        for row in document.table
    )


def read_labels(document: Document) -> LabelFile:
    """A segment for each row."""
    segments = [
        LabelledSegment(int(cells[1]), int(cells[2]), cells[0], document.where(line)) for line, cells in document.table
    ]
    return LabelFile([LabelledVideo(document.stem, segments, "frames", RATE)])
