"""Detections for programs that show them beside the video: subtitles of players, tiers of the annotation tool ELAN."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from mimetypes import guess_type
from typing import Any, Protocol
from xml.etree import ElementTree

from numpy.typing import NDArray

from actionformer.core.terminal import visible

EAF_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"


class Timeline(Protocol):
    """What `Detections` have."""

    @property
    def segments(self) -> NDArray[Any]:
        """(N, 2) starts and ends, seconds."""

    @property
    def scores(self) -> NDArray[Any]:
        """(N,)"""

    @property
    def labels(self) -> NDArray[Any]:
        """(N,) indices into `class_names`."""

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes."""


def srt(found: Timeline) -> str:
    """SubRip subtitles: one cue a detection in the order of time, `label score`."""
    cues = (
        f"{i}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{_unmarked(visible(label))} {score:.2f}\n"
        for i, (start, end, label, score) in enumerate(_in_time(found), 1)
    )
    return "\n".join(cues)


def vtt(found: Timeline) -> str:
    """WebVTT subtitles (W3C): one cue a detection in the order of time, `label score`."""
    cues = (
        f"{_clock(start, '.')} --> {_clock(end, '.')}\n{_escaped(visible(label))} {score:.2f}\n"
        for start, end, label, score in _in_time(found)
    )
    return "\n".join(("WEBVTT\n", *cues))


def eaf(found: Timeline, media: str = "") -> str:
    """An ELAN annotation document (EAF 3.0): a tier a class that occurs, its detections with their scores.

    Within a tier ELAN allows no overlap: of two detections of a class that overlap the later one is in a second tier.

    Args:
        found: the detections.
        media: path or URL of the video, which ELAN opens with it.
    """
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "actionformer",
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": EAF_SCHEMA,
        },
    )
    header = ElementTree.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    if media:
        ElementTree.SubElement(
            header, "MEDIA_DESCRIPTOR", {"MEDIA_URL": media, "MIME_TYPE": guess_type(media)[0] or "video/mp4"}
        )
    order = ElementTree.SubElement(root, "TIME_ORDER")
    times: dict[str, int] = {}
    for tier_name, rows in _tiers(found).items():
        tier = ElementTree.SubElement(root, "TIER", {"LINGUISTIC_TYPE_REF": "action", "TIER_ID": tier_name})
        for start, end, label, score in rows:
            number = len(times) // 2 + 1
            slots = f"ts{2 * number - 1}", f"ts{2 * number}"
            times |= zip(slots, (_ms(start), _ms(end)), strict=True)
            annotation = ElementTree.SubElement(
                ElementTree.SubElement(tier, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                {"ANNOTATION_ID": f"a{number}", "TIME_SLOT_REF1": slots[0], "TIME_SLOT_REF2": slots[1]},
            )
            ElementTree.SubElement(annotation, "ANNOTATION_VALUE").text = f"{visible(label)} {score:.2f}"
    for slot, time in sorted(times.items(), key=lambda item: item[1]):
        ElementTree.SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": slot, "TIME_VALUE": str(time)})
    ElementTree.SubElement(
        root,
        "LINGUISTIC_TYPE",
        {"LINGUISTIC_TYPE_ID": "action", "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"},
    )
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


Row = tuple[float, float, str, float]
"""Start and end in seconds, label, score."""


def _in_time(found: Timeline) -> Iterator[Row]:
    for row in found.segments[:, 0].argsort(kind="stable"):
        start, end = found.segments[row].tolist()
        yield start, end, found.class_names[found.labels[row]], float(found.scores[row])


def _tiers(found: Timeline) -> dict[str, list[Row]]:
    """Tier -> rows of one label in time that do not overlap: `label`, then `label (2)` and so on."""
    tiers: dict[str, list[Row]] = {}
    labels = set(map(visible, found.class_names))
    for row in _in_time(found):
        name, number = visible(row[2]), 1
        while (name in tiers and not _follows(row, tiers[name][-1])) or (number > 1 and name in labels):
            number += 1
            name = f"{visible(row[2])} ({number})"
        tiers.setdefault(name, []).append(row)
    return dict(sorted(tiers.items()))


def _follows(row: Row, last: Row) -> bool:
    """Whether a row has the label of another, and begins where that has ended."""
    return row[2] == last[2] and _ms(row[0]) >= _ms(last[1])


def _ms(seconds: float) -> int:
    return round(1000 * seconds)


def _clock(seconds: float, point: str) -> str:
    """hours:minutes:seconds with three digits after `point`."""
    minutes, ms = divmod(_ms(seconds), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}{point}{ms % 1000:03d}"


def _unmarked(label: str) -> str:
    """A label in which nothing is formatting, or the times of a cue: SubRip has no escapes, so signs are kept apart."""
    return re.sub(r"<(?=/?(?:[bius]|font)\b)|\{(?=\\)|--(?=>)", lambda found: f"{found[0]}\u2060", label)


def _escaped(label: str) -> str:
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
