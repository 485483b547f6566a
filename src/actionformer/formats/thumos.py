"""THUMOS14 and MultiTHUMOS as text: a file a class, `video_test_0000278  0.0 1.4` a line, seconds.

The class is the file's name without `_val` or `_test`. Spans of `Ambiguous_val.txt` and the like are of no class: what
is found there counts neither for nor against a detector.
"""

from __future__ import annotations

import re

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark

_LINE = re.compile(r"([^\W\d]\S*)\s+(\d+(?:\.\d+)?)\s+(\d+(?:\.\d+)?)")
_PART = re.compile(r"_(?:val|validation|test)$")
_VIDEO = re.compile(r"video_(validation|test)_")
AMBIGUOUS = "Ambiguous"


def holds_labels(document: Document) -> bool:
    """Whether every line is the name of a video and two times."""
    return bool(document.lines_like(_LINE))


def read_labels(document: Document) -> LabelFile:
    """The segments of every video, all of one class."""
    label = _PART.sub("", document.stem)
    segments: dict[str, list[LabelledSegment]] = {}
    remarks = []
    for number, line in document.lines_like(_LINE):
        where, found = document.where(number), segments.setdefault(line[1], [])
        if label == AMBIGUOUS:
            remarks.append(Remark("a span that is ambiguous is left out", where))
        else:
            found.append(LabelledSegment(float(line[2]), float(line[3]), label, where))
    if label == AMBIGUOUS:
        return LabelFile([], remarks)
    return LabelFile([LabelledVideo(name, found, subset=_subset(name)) for name, found in segments.items()])


def spans_of(document: Document) -> list[tuple[str, float, float]]:
    """Video, start and end of every line, whatever the class."""
    return [(line[1], float(line[2]), float(line[3])) for _, line in document.lines_like(_LINE)]


def _subset(name: str) -> str | None:
    found = _VIDEO.match(name)
    return found[1] if found else None
