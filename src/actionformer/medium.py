"""What a backbone looks at, such as pictures or readings of sensors: how a file of it becomes rows at a steady rate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from numpy.typing import NDArray

Row: TypeAlias = NDArray[Any]
"""What a file says of one moment: a picture (H, W, 3), the readings of sensors (C,), ..."""


@dataclass(frozen=True)
class ReadSummary:
    """How the reading of one file went."""

    fps: float
    """Rows a second that its features lie on."""
    native_fps: float
    """Rows a second of its own."""
    frames: int
    """Rows that were taken."""
    start: float
    """Seconds of the first row."""
    duration: float
    """Seconds at which what could be read ends."""
    skipped_packets: int = 0
    """Damaged packets left out."""
    warning: str | None = None
    """What the user should know of it."""


class Recording(Protocol):
    """A file that is open, as rows in the order of time, at a steady rate."""

    @property
    def fps(self) -> float:
        """Rows a second that come."""

    @property
    def start(self) -> float:
        """Seconds of the first row, as far as the file says before it is read."""

    @property
    def declared(self) -> float | None:
        """Seconds at which the file says that it ends."""

    @property
    def doubt(self) -> str | None:
        """Why its own rate may be wrong."""

    def rows(self) -> Iterator[Row]:
        """All rows, of one shape and type.

        Raises:
            InputError: nothing can be read, or what comes cannot be meant.
        """

    def summary(self, rows: int) -> ReadSummary:
        """How the reading went, once all of so many rows have been taken."""


class Medium(ABC):
    """A kind of recordings. It pickles, as files are read in processes of their own.

    Attributes:
        files: what its files are called together, as in "no videos here".
        endings: what its files end in, such as ".mp4"; a file that is named itself may end in anything.
        live: whether it can come from a live source, which `video.live` reads.
    """

    files: str
    endings: frozenset[str]
    live: bool = False

    @abstractmethod
    def open(self, path: Path, fps: float | None) -> AbstractContextManager[Recording]:
        """Opens a file.

        Args:
            path: the file.
            fps: rows a second that are wanted; None for its own rate.

        Raises:
            InputError: a file that cannot be read, or one whose rate is not known.
        """

    def id_of(self, name: str) -> str:
        """The id of a recording whose file has this name, without its ending."""
        return name
