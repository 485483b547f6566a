"""WebVTT subtitles (W3C): one cue per detection in the order of time, `label score`."""

from __future__ import annotations

from actionformer.core.detections import Detections
from actionformer.core.terminal import visible
from actionformer.formats.cues import clock_time, cues_of


def video_text(found: Detections, media: str = "") -> str:
    """The subtitles of a video; they name no `media`."""
    cues = (
        f"{clock_time(start, '.')} --> {clock_time(end, '.')}\n{_escaped(visible(label))} {score:.2f}\n"
        for start, end, label, score in cues_of(found)
    )
    return "\n".join(("WEBVTT\n", *cues))


def _escaped(label: str) -> str:
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
