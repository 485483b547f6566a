"""Frames and a label a line, as the coarse labels of Breakfast: `1-30 SIL`; frames from 1, the last one inside."""

from __future__ import annotations

import re

from actionformer.formats.document import Document
from actionformer.formats.frame_runs import background_remarks, is_background
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo

_LINE = re.compile(r"(\d+)\s*-\s*(\d+)\s+(\S.*)")


def holds_labels(document: Document) -> bool:
    """Whether every line is a range of frames from 1 and a label."""
    found = document.lines_like(_LINE)
    return bool(found) and all(1 <= int(line[1]) <= int(line[2]) for _, line in found)


def read_labels(document: Document) -> LabelFile:
    """A segment for each line, but for background."""
    lines = document.lines_like(_LINE)
    segments = [
        LabelledSegment(int(line[1]) - 1, int(line[2]), line[3], document.where(number))
        for number, line in lines
        if not is_background(line[3])
    ]
    remarks = background_remarks((line[3] for _, line in lines), document.where())
    return LabelFile([LabelledVideo(document.stem, segments, "frames")], remarks)
