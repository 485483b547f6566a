"""Events of an observation as segments of its recordings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from actionformer.formats.labels import LabelledSegment, LabelledVideo, Remark

NO_SUBJECT = "No focal subject"
UNPAIRED = "a START without a STOP is left out: in BORIS, 'Fix unpaired events' adds it"
NO_START = "a STOP without a START is left out"


class Event(NamedTuple):
    """What was coded at a moment."""

    time: float
    """Seconds."""
    behavior: str
    subject: str
    modifiers: str
    kind: Literal["POINT", "START", "STOP", "TOGGLE"]
    """A toggle is a START where none is open, else the STOP of it."""
    where: str


@dataclass(frozen=True)
class Recording:
    """A file of an observation; several follow one another."""

    name: str
    duration: float | None = None
    """Seconds."""
    fps: float | None = None


def segments_of(events: Sequence[Event], remarks: list[Remark]) -> list[LabelledSegment]:
    """Points, and what lies between starts and stops of one behaviour, subject and modifiers."""
    begun: dict[tuple[str, str, str], Event] = {}
    found: list[LabelledSegment] = []
    for event in sorted(events, key=lambda one: one.time):
        key = event.subject, event.behavior, event.modifiers
        layer = event.subject or NO_SUBJECT
        opened = begun.get(key)
        if event.kind == "POINT":
            found.append(LabelledSegment(event.time, event.time, event.behavior, event.where, layer))
        elif opened and event.kind != "START":
            found.append(LabelledSegment(opened.time, event.time, event.behavior, opened.where, layer))
            del begun[key]
        elif event.kind == "STOP":
            remarks.append(Remark(NO_START, event.where))
        else:
            remarks += [Remark(UNPAIRED, opened.where)] if opened else []
            begun[key] = event
    remarks += [Remark(UNPAIRED, event.where) for event in begun.values()]
    return sorted(found, key=lambda one: one.start)


def in_recordings(
    segments: Sequence[LabelledSegment], recordings: Sequence[Recording], observation: str, remarks: list[Remark]
) -> Iterator[LabelledVideo]:
    """The segments of an observation in its files, one after another; a segment that goes on has a part in each."""
    ends, end = [], 0.0
    for one in recordings[:-1]:
        end += one.duration if one.duration is not None else math.inf
        ends.append(end)
    starts, unknown = [0.0, *ends], any(math.isinf(one) for one in ends)
    for recording, start, stop in zip(recordings, starts, [*ends, math.inf], strict=True):
        if math.isinf(start):
            break
        own = [
            one
            for one in segments
            if start <= one.start < stop or start < one.end <= stop or one.start < start < one.end
        ]
        parts = [
            LabelledSegment(max(one.start, start) - start, min(one.end, stop) - start, one.label, one.where, one.layer)
            for one in own
        ]
        duration = recording.duration
        yield LabelledVideo(recording.name, parts, "seconds", recording.fps, duration, annotator=observation)
    if unknown:
        what = "an observation of several files of which one has no known length: all is taken to be of those before"
        remarks.append(Remark(what, observation))
