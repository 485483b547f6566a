"""WebVTT subtitles (W3C): one cue per detection in the order of time, `label score`; cues of others are labels."""

from __future__ import annotations

import html
import re

from actionformer.core.detections import Detections
from actionformer.core.terminal import visible
from actionformer.formats.cue_text import label_file
from actionformer.formats.cues import clock_time, cues_of
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile

_TAGS = re.compile(r"<[^<>]*>")


def video_text(found: Detections, media: str = "") -> str:
    """The subtitles of a video; they name no `media`."""
    cues = (
        f"{clock_time(start, '.')} --> {clock_time(end, '.')}\n{_escaped(visible(label))} {score:.2f}\n"
        for start, end, label, score in cues_of(found)
    )
    return "\n".join(("WEBVTT\n", *cues))


def _escaped(label: str) -> str:
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    """A text without tags and times."""
    return html.unescape(_TAGS.sub("", text))


def holds_labels(document: Document) -> bool:
    """Whether it begins as WebVTT does; where nothing was found it has no cues."""
    return document.text.startswith("WEBVTT")


def read_labels(document: Document) -> LabelFile:
    """A label per cue."""
    return label_file(document, _plain)
