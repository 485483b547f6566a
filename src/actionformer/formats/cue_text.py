"""Cues of subtitles that people or programs use as labels, read from SubRip and WebVTT."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?$")
_SCORE = re.compile(r"^(.+) ([01]\.\d\d)$")
WITHOUT_TEXT = "a cue without text is left out"


class Cue(NamedTuple):
    """A text that is shown for a while."""

    start: float
    end: float
    """Seconds."""
    text: str
    line: int
    """Of its times, in the file."""


def has_cues(document: Document) -> bool:
    """Whether a line says when a cue is shown."""
    return any(_TIMES.match(line) for line in document.lines)


def cues(document: Document, plain: Callable[[str], str]) -> Iterator[Cue]:
    """The cues of a file, in its order, with their texts made `plain`; what is around them is left out."""
    lines = document.lines
    places = [(number, found) for number, line in enumerate(lines) if (found := _TIMES.match(line))]
    for number, found in places:
        text = []
        for line in lines[number + 1 :]:
            if not line.strip() or _TIMES.match(line):
                break
            text.append(line)
        times = found.groups()
        yield Cue(_seconds(times[:4]), _seconds(times[4:]), " ".join(plain(" ".join(text)).split()), number + 1)


def label_file(document: Document, plain: Callable[[str], str]) -> LabelFile:
    """A label per cue; scores that every cue ends with, as ours do, are left out.

    Args:
        document: the file.
        plain: makes a text of a cue one without formatting.
    """
    found, remarks = list(cues(document, plain)), list[Remark]()
    scored = all(_SCORE.match(one.text) for one in found if one.text)
    segments = []
    for one in found:
        where = document.where(one.line)
        label = _SCORE.sub(r"\1", one.text) if scored else one.text
        if label:
            segments.append(LabelledSegment(one.start, one.end, label, where))
        else:
            remarks.append(Remark(WITHOUT_TEXT, where))
    return LabelFile([LabelledVideo(document.stem, segments, complete=not remarks)], remarks)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    whole = 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0)
    return (1000 * whole + int((fraction or "0").ljust(3, "0"))) / 1000
