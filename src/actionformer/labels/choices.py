"""What the user decides where label files leave something open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from actionformer.core.errors import InputError

TimeUnit = Literal["seconds", "ms", "frames"]


@dataclass(frozen=True)
class Choices:
    """What the user decides where label files leave something open; by default what the files say."""

    fps: float | None = None
    """Frames per second of all frame numbers."""
    unit: TimeUnit | None = None
    """What all times are counted in."""
    point_width: float | None = None
    """Seconds that an action lasts whose middle is a moment without length; None leaves moments out."""
    layers: Sequence[str] = ()
    """Only these tiers, tracks and subjects."""
    annotator: str | None = None
    """Whose labels count where several people labelled a video."""
    subset: str | None = None
    """The subset of all videos."""
    background: bool = False
    """Whether videos without any label are videos in which nothing happens."""
    rename: Mapping[str, str] = field(default_factory=dict)
    """Label -> the label that it is to be."""

    def __post_init__(self) -> None:
        for name, value in (("fps", self.fps), ("point width", self.point_width)):
            if value is not None and not 0 < value < 1e6:
                raise InputError(f"{name} must be a positive number, found {value:g}")
