"""SubRip subtitles: one cue per detection in the order of time, `label score`; cues of others are labels."""

from __future__ import annotations

import re

from actionformer.core.detections import Detections
from actionformer.core.terminal import visible
from actionformer.formats.cue_text import has_cues, label_file
from actionformer.formats.cues import clock_time, cues_of
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile

_FORMATTING = re.compile(r"</?(?:[bius]|font)\b[^<>]*>|\{\\[^}]*\}", re.IGNORECASE)


def video_text(found: Detections, media: str = "") -> str:
    """The subtitles of a video; they name no `media`."""
    cues = (
        f"{i}\n{clock_time(start, ',')} --> {clock_time(end, ',')}\n{_unmarked(visible(label))} {score:.2f}\n"
        for i, (start, end, label, score) in enumerate(cues_of(found), 1)
    )
    return "\n".join(cues)


def _unmarked(label: str) -> str:
    """A label in which nothing is formatting, or the times of a cue: SubRip has no escapes, so signs are kept apart."""
    return re.sub(r"<(?=/?(?:[bius]|font)\b)|\{(?=\\)|--(?=>)", lambda found: f"{found[0]}\u2060", label)


def _plain(text: str) -> str:
    """A text without formatting, and without what keeps signs apart."""
    return _FORMATTING.sub("", text).replace("\u2060", "")


def holds_labels(document: Document) -> bool:
    """Whether it has cues, and is no WebVTT."""
    return not document.text.startswith("WEBVTT") and has_cues(document)


def read_labels(document: Document) -> LabelFile:
    """A label per cue."""
    return label_file(document, _plain)
