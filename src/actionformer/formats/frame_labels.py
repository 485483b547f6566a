"""The label of a frame a line, as MS-TCN's `groundTruth/<video>.txt`; the n-th line, from 0, is frame n.

Nothing happens in a frame whose line is empty. `mapping.txt` beside it or in the folder above lists the classes, and
names them where lines are numbers. The video is named as the file is; its rate stands nowhere.
"""

from __future__ import annotations

from actionformer.formats.class_list import class_list
from actionformer.formats.document import Document
from actionformer.formats.frame_runs import background_remarks, is_background, runs
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo
from actionformer.formats.numbers import number

LIST = "mapping.txt"
HEADERS = frozenset({"label", "labels", "class", "behavior", "behaviour", "action", "activity"})
LONGEST = 80
"""Letters of a label."""


def holds_labels(document: Document) -> bool:
    """Whether every line is a class of the list, or else a label or empty, and labels go on for a while."""
    labels = _labels(document)
    listed = class_list(document, LIST)
    named = set(labels) - {""}
    if named and named <= listed.keys() | set(listed.values()):
        return True
    return bool(named) and 2 * sum(1 for _ in runs(labels)) <= len(labels) and all(map(_is_label, named))


def read_labels(document: Document) -> LabelFile:
    """A segment for each stretch of lines that are equal."""
    listed = class_list(document, LIST)
    lines = _labels(document)
    labels = [listed.get(label, label) for label in lines]
    header = len(_lines(document)) - len(lines)
    segments = [
        LabelledSegment(start, end, label, document.where(header + start + 1))
        for start, end, label in runs(labels)
        if not is_background(label)
    ]
    names = [name for name in listed.values() if not is_background(name)]
    remarks = background_remarks(labels, document.where())
    return LabelFile([LabelledVideo(document.stem, segments, "frames")], remarks, names)


def _labels(document: Document) -> list[str]:
    """The lines without a header."""
    labels = _lines(document)
    return labels[1:] if labels[0].casefold() in HEADERS and labels[0] not in labels[1:] else labels


def _lines(document: Document) -> list[str]:
    """The lines without empty ones at the end."""
    return [line.strip() for line in document.text.rstrip().split("\n")]


def _is_label(line: str) -> bool:
    value = number(line)
    is_measured = value is not None and not line.lstrip("-").isdigit()
    return len(line) <= LONGEST and not is_measured and not set(line) & set("\t,;{}<>")
