"""Focal data files of JWatcher: `milliseconds, code` a line; each code lasts to the next line, or to `EOF`.

The recording is called as the file is.
"""

from __future__ import annotations

import re
from itertools import pairwise

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo

_ROW = re.compile(r"\s*(\d+)\s*,\s*(.+?)\s*")


def holds_labels(document: Document) -> bool:
    """Whether it begins by saying where its data begin."""
    return document.text.startswith("FirstLineOfData=")


def read_labels(document: Document) -> LabelFile:
    """Every code until the next."""
    rows = [
        (int(found[1]) / 1000, found[2], number)
        for number, line in enumerate(document.lines, 1)
        if not line.startswith("#") and (found := _ROW.fullmatch(line))
    ]
    segments = [
        LabelledSegment(start, end, code, document.where(number))
        for (start, code, number), (end, *_) in pairwise(rows)
        if code.upper() != "EOF"
    ]
    return LabelFile([LabelledVideo(document.stem, segments)])
