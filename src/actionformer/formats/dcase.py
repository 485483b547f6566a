"""Sound events of DCASE and DESED: a table of tabs with the columns `filename`, `onset`, `offset`, `event_label`.

A row without times is a sound in which nothing is heard. Older files have no header: `file onset offset label`, or with
the scene after the file. Those without a file, `onset offset label`, are as Audacity's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number

COLUMNS = ("filename", "onset", "offset", "event_label")


def holds_labels(document: Document) -> bool:
    """Whether it has the columns, or rows of a file, maybe its scene, two times and a label."""
    if set(COLUMNS) <= set(document.header):
        return True
    return "\t" in document.text and bool(document.table) and all(_is_bare(row.cells) for row in document.table)


def read_labels(document: Document) -> LabelFile:
    """The events of every file."""
    videos: dict[str, list[LabelledSegment]] = {}
    remarks = []
    for line, name, onset, offset, label in _rows(document):
        found = videos.setdefault(name, [])
        start, end = number(onset), number(offset)
        if start is not None and end is not None and label:
            found.append(LabelledSegment(start, end, label, document.where(line)))
        elif onset or offset or label:
            remarks.append(Remark("a row without times or without a label is left out", document.where(line)))
    return LabelFile([LabelledVideo(name, found) for name, found in videos.items()], remarks)


def _rows(document: Document) -> Iterator[tuple[int, str, str, str, str]]:
    """Line, file, onset, offset and label."""
    header = document.header
    if set(COLUMNS) <= set(header):
        places, rows = [header.index(name) for name in COLUMNS], document.table[1:]
    else:
        places, rows = [0, -3, -2, -1], document.table
    for line, cells in rows:
        padded = [*cells, *[""] * (len(header) - len(cells))]
        name, onset, offset, label = (padded[place] for place in places)
        yield line, name, onset, offset, label


def _is_bare(cells: Sequence[str]) -> bool:
    if len(cells) not in (4, 5) or not cells[-1]:
        return False
    start, end = number(cells[-3]), number(cells[-2])
    return start is not None and end is not None and all(number(one) is None for one in (*cells[:-3], cells[-1]))
