"""Annotations of Bento and MARS (.annot): a block a channel, in it a block a behaviour with its bouts.

Frames count from 1, and the last one is inside; where any time of the file has decimals, all are frames divided by the
rate, still from 1. The video is named as the file is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo

_RATE = re.compile(r"Annotation framerate:\s*(\d+(?:\.\d+)?)")
_CHANNEL = re.compile(r"(\S+?)-{5,}")
_BOUT = re.compile(r"(\d+(?:\.\d+)?)\s+(\d+(?:\.\d+)?)(?:\s+\d+(?:\.\d+)?)?")
MARK = "List of annotations:"


def holds_labels(document: Document) -> bool:
    """Whether it lists annotations and says their rate."""
    lines = {line.strip() for line in document.lines}
    return MARK in lines and any(map(_RATE.fullmatch, lines))


def read_labels(document: Document) -> LabelFile:
    """The bouts of every channel, each a layer."""
    rates = [found for line in document.lines if (found := _RATE.fullmatch(line.strip()))]
    bouts, rate = list(_bouts(document)), float(rates[0][1])
    has_decimals = any("." in bout[1] + bout[2] for *_, bout in bouts)
    scale = rate if has_decimals else 1.0
    channels = {channel for channel, *_ in bouts}
    segments = [
        LabelledSegment(
            round(float(bout[1]) * scale) - 1,
            round(float(bout[2]) * scale),
            label,
            document.where(number),
            channel if len(channels) > 1 else "",
        )
        for channel, label, number, bout in bouts
    ]
    return LabelFile([LabelledVideo(document.stem, segments, "frames", rate)], class_names=_names(document))


def _bouts(document: Document) -> Iterator[tuple[str, str, int, re.Match[str]]]:
    """Channel, behaviour, line and times."""
    channel = label = ""
    for number, line in enumerate(map(str.strip, document.lines), 1):
        if found := _CHANNEL.fullmatch(line):
            channel, label = found[1], ""
        elif line.startswith(">"):
            label = line[1:].strip()
        elif label and (bout := _BOUT.fullmatch(line)):
            yield channel, label, number, bout


def _names(document: Document) -> list[str]:
    lines = [line.strip() for line in document.lines]
    listed = lines[lines.index(MARK) + 1 :]
    return list(dict.fromkeys(listed[: listed.index("")])) if "" in listed else []
