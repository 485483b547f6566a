"""A medium of recordings that do harm to who reads them."""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from actionformer.core.errors import InputError
from actionformer.medium import Medium, ReadSummary, Recording, Row


class Dying(Medium):
    """A file of this medium says what becomes of its reader: `rows 5`, `broken`, `kill`, `once` (it kills one
    reader), `hang`, `greedy`."""

    files, endings = "recordings", frozenset({".dying"})

    @contextmanager
    def open(self, path: Path, fps: float | None) -> Iterator[Recording]:
        yield _Recording(path)


class _Recording:
    fps, start, declared, doubt = 10.0, 0.0, None, None

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> Iterator[Row]:
        word, _, number = self.path.read_text().partition(" ")
        yield np.zeros(2, np.float32)
        if word == "once":
            self.path.write_text("rows 3")
        match word:
            case "broken":
                raise InputError(f"{self.path}: is broken")
            case "kill" | "once":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "greedy":
                np.empty(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 2 // 3, np.uint8)
            case "hang":
                time.sleep(60)
        yield from (np.full(2, row, np.float32) for row in range(1, int(number or 1)))

    def summary(self, rows: int) -> ReadSummary:
        return ReadSummary(10.0, 10.0, rows, 0.0, rows / 10)


class AsItIs:
    """Preprocessing that changes nothing."""

    def __call__(self, frames: Iterable[Row]) -> Iterator[Row]:
        return iter(frames)

    def __str__(self) -> str:
        return "as it is"


class Wide(AsItIs):
    """Frames of which one alone is more than a pipe takes."""

    def __call__(self, frames: Iterable[Row]) -> Iterator[Row]:
        return (np.zeros(1 << 20, np.float32) for _ in frames)
