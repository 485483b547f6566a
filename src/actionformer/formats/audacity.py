r"""Label tracks of the sound editor Audacity: `start TAB end TAB label`, seconds.

A selection of frequencies adds a line `\ TAB low TAB high`, which is not read. The video is named as the file is.
"""

from __future__ import annotations

import re

from actionformer.core.detections import Detections
from actionformer.core.terminal import visible
from actionformer.formats.cues import cues_of
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark

_NUMBER = r"\d+(?:[.,]\d+)?"
_LINE = re.compile(rf"({_NUMBER})\t({_NUMBER})(?:\t([^\t]*))?")
_FREQUENCIES = re.compile(r"\\\t[-\d.,]+\t[-\d.,]+")


def holds_labels(document: Document) -> bool:
    """Whether every line is a label or a range of frequencies."""
    lines = [line for line in document.lines if line.strip()]
    return bool(lines) and all(_LINE.fullmatch(line) or _FREQUENCIES.fullmatch(line) for line in lines)


def video_text(found: Detections, media: str = "") -> str:
    """The detections of a video as a track; it names neither `media` nor scores."""
    rows = cues_of(found)
    return "".join(f"{start:.6f}\t{end:.6f}\t{visible(label)}\n" for start, end, label, _ in rows)


def read_labels(document: Document) -> LabelFile:
    """The labels of a track."""
    segments, remarks = [], []
    for number, line in enumerate(document.lines, 1):
        if not (found := _LINE.fullmatch(line)):
            continue
        start, end = (float(time.replace(",", ".")) for time in found.groups()[:2])
        label, where = (found[3] or "").strip(), document.where(number)
        if label:
            segments.append(LabelledSegment(start, end, label, where))
        else:
            remarks.append(Remark("a segment without a label is left out", where))
    return LabelFile([LabelledVideo(document.stem, segments, complete=not remarks)], remarks)
