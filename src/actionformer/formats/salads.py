"""50 Salads' `activityAnnotation`: `start end label` a line, in microseconds of the recording.

An act has phases, `cut_tomato_prep`, `_core` and `_post`; what has none is a stage of the recipe that encloses them.
The video is named as the file is, without `-activityAnnotation`.
"""

from __future__ import annotations

import re

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo

_LINE = re.compile(r"(\d+) (\d+) (\S+)")
_PHASE = re.compile(r".+_(?:prep|core|post)")
ENDING = "-activityAnnotation"
MICROSECONDS = 1e6


def holds_labels(document: Document) -> bool:
    """Whether every line is two whole numbers and an act, at least one of which is a phase."""
    return any(_PHASE.fullmatch(line[3]) for _, line in document.lines_like(_LINE))


def read_labels(document: Document) -> LabelFile:
    """The stages and the phases, each in a layer."""
    segments = [
        LabelledSegment(
            int(line[1]) / MICROSECONDS,
            int(line[2]) / MICROSECONDS,
            line[3],
            document.where(number),
            "phases" if _PHASE.fullmatch(line[3]) else "stages",
        )
        for number, line in document.lines_like(_LINE)
    ]
    return LabelFile([LabelledVideo(document.stem.removesuffix(ENDING), segments)])
