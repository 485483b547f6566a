"""TextGrids of Praat, long and short: intervals and points in tiers, seconds. The recording is called as the file is.

The two forms hold the same values in the same order, so both are read as a row of texts in quotes and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.terminal import visible
from actionformer.formats.cues import Cue, tiers_of
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark

_HEAD = re.compile(r'\s*(?:File type\s*=\s*)?"ooTextFile(?: short)?"\s*(?:Object class\s*=\s*)?"TextGrid"')
_VALUE = re.compile(r'"((?:[^"]|"")*)"|(?<![\w\[."])(-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)(?![\w\]])')
BINARY = b"ooBinaryFile"
Value = str | float


def holds_labels(document: Document) -> bool:
    """Whether it is a TextGrid, also one that cannot be read because it is binary."""
    return bool(_HEAD.match(document.text)) or (BINARY in document.data[:16] and b"TextGrid" in document.data[:40])


def video_text(found: Detections, media: str = "") -> str:
    """The detections of a video, a tier per class; it names neither `media` nor scores.

    Intervals of Praat cover all time and last longer than none, so a tier has empty ones between, and a detection
    lasts a millisecond at least.
    """
    widened = np.maximum(found.segments, found.segments[:, :1] + [0.0, 0.001])
    tiers = tiers_of(replace(found, segments=widened)) if len(found) else {}
    end = max((row[1] for rows in tiers.values() for row in rows), default=0.0) or 1.0
    head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n{end:.3f}\n<exists>\n{len(tiers)}\n'
    return head + "".join(_tier_text(name, rows, end) for name, rows in tiers.items())


def _tier_text(name: str, rows: Sequence[Cue], end: float) -> str:
    intervals: list[tuple[float, float, str]] = []
    last = 0.0
    for start, stop, label, _ in rows:
        start, stop = round(start, 3), round(stop, 3)
        intervals += [(last, start, "")] if start > last else []
        intervals.append((start, stop, visible(label)))
        last = stop
    intervals += [(last, end, "")] if round(end, 3) > last else []
    head = f'"IntervalTier"\n{_quoted(name)}\n0\n{end:.3f}\n{len(intervals)}\n'
    return head + "".join(f"{start:.3f}\n{stop:.3f}\n{_quoted(text)}\n" for start, stop, text in intervals)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def read_labels(document: Document) -> LabelFile:
    """Intervals with text, and points.

    Raises:
        InputError: it is binary, or cut short.
    """
    if not document.text or BINARY in document.data[:16]:
        raise InputError(f"{document.path}: a binary TextGrid: save it in Praat as a text file")
    remarks: list[Remark] = []
    segments = [
        LabelledSegment(start, end, " ".join(text.split()), document.where(item=f"tier {tier!r}, {start:g} s"), tier)
        for tier, start, end, text in _marks(document, remarks)
        if text.strip()
    ]
    return LabelFile([LabelledVideo(document.stem, segments)], remarks)


def _marks(document: Document, remarks: list[Remark]) -> Iterator[tuple[str, float, float, str]]:
    """Tier, start, end and text; counts are not relied on, as files that are written by hand have wrong ones."""
    values = _values(document.text)
    places = [i for i, one in enumerate(values) if one in ("IntervalTier", "TextTier") and _is_tier(values, i)]
    for place, stop in pairwise([*places, len(values)]):
        tier, size = str(values[place + 1]), 3 if values[place] == "IntervalTier" else 2
        rows = values[place + 5 : stop]
        for first in range(0, len(rows) - size + 1, size):
            *times, text = rows[first : first + size]
            if not isinstance(text, str) or not all(isinstance(time, float) for time in times):
                raise InputError(f"{document.path}: tier {tier!r}: expected times and a text, found {text!r:.40}")
            yield tier, float(times[0]) + 0.0, float(times[-1]) + 0.0, text
        if len(rows) // size != values[place + 4]:
            remarks.append(Remark("a tier has another number of entries than it says: all are read", f"tier {tier!r}"))


def _is_tier(values: list[Value], place: int) -> bool:
    """Whether a class of tiers is followed by a name and numbers, and is no text itself."""
    kinds = [type(one) for one in values[place + 1 : place + 5]]
    return kinds == [str, float, float, float]


def _values(text: str) -> list[Value]:
    """All texts in quotes and free-standing numbers, after the two that say what the file is."""
    found = _VALUE.finditer(_HEAD.sub("", text, count=1))
    return [one[1].replace('""', '"') if one[2] is None else float(one[2]) for one in found]
