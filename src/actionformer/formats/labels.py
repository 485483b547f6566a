"""Labels as files of annotation tools and data sets have them, before they are matched with videos.

A file may count frames, name videos by the paths of another machine, and mark moments that have no length. Readers keep
what it says; `actionformer.labels` makes annotations of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Unit = Literal["seconds", "frames"]


@dataclass(frozen=True)
class LabelledSegment:
    """A stretch of a video that has a label."""

    start: float
    end: float
    """In the unit of its video: seconds from its beginning, or frames from 0 of which `end` is no longer part. Equal to
    `start`: a moment without length."""
    label: str
    where: str
    """The place in the file, for messages."""
    layer: str = ""
    """The tier, track or subject that it belongs to, if the format has such. All of them count together."""
    sure: bool = False
    """Whether its times are seconds without doubt, such as 0:01:23, so that no other unit is chosen for them."""


@dataclass(frozen=True)
class LabelledVideo:
    """A video as a file names it; if it is complete without segments, it was looked at and nothing happens in it."""

    name: str
    """A file name, a path of any machine, or an id."""
    segments: Sequence[LabelledSegment]
    """In the order of the file."""
    unit: Unit = "seconds"
    fps: float | None = None
    """Frames per second, if the file says; frames without it take the rate of the video itself."""
    duration: float | None = None
    """Seconds, if the file says."""
    subset: str | None = None
    """Such as training, if the file says."""
    annotator: str = ""
    """Who labelled it. Several annotators of a video are as many entries, of which one counts."""
    other_names: Sequence[str] = ()
    """What its file may be called besides, such as the sound of the same recording."""
    group: str = ""
    """What it shares with other videos, such as a person, if the file says."""
    counts_time: bool = False
    """Whether its frames are time at a rate, whatever pictures the video has, as Label Studio counts them."""
    complete: bool = True
    """Whether all of its labels could be read."""
    source: str = ""
    """The label file."""


@dataclass(frozen=True)
class Remark:
    """Something that was left out, mended or guessed; those with the same words are told once, with a count."""

    what: str
    """A sentence about one of them in the singular, such as "a START without a STOP is left out"."""
    where: str
    settled_by: Literal["", "fps"] = ""
    """The choice of the user that leaves nothing to say."""


@dataclass(frozen=True)
class LabelFile:
    """All that was read of a file."""

    videos: Sequence[LabelledVideo]
    remarks: Sequence[Remark] = ()
    class_names: Sequence[str] = ()
    """In the order of the file, if it lists them; the first has label id 0."""
