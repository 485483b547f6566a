"""What the viewer is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ViewerOptions:
    """A run or a file of detections, and what belongs to it; `start.view` says what each is."""

    source: Path
    features: tuple[Path, ...] = ()
    videos: Path | None = None
    annotations: Path | None = None
    compare: Path | None = None
    corrections: Path | None = None
