"""What is told while videos are read: each begins, its features come, it is finished or has failed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actionformer.medium import ReadSummary


@dataclass(frozen=True)
class Begun:
    """The first event of a video: what it promises."""

    video: Path
    clips: int | None
    """Clips to come, as far as the file says."""


@dataclass(frozen=True)
class FeaturesReady:
    """Features of a video that follow those before."""

    video: Path
    rows: NDArray[np.float32]
    """(n, dim)"""


@dataclass(frozen=True)
class Finished:
    """The last event of a video that was read."""

    video: Path
    summary: ReadSummary


@dataclass(frozen=True)
class Failed:
    """The last event of a video that could not be read."""

    video: Path
    reason: str


Event: TypeAlias = Begun | FeaturesReady | Finished | Failed
