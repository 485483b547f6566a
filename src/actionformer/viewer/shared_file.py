"""A file that several viewers may change: read again when it has changed, and written whole by one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Generic, Protocol, TypeVar

from actionformer.core.files import version_of, write_whole
from actionformer.core.locks import lock


class Written(Protocol):
    """The content of a file."""

    def text(self) -> str:
        """What is written."""


Content = TypeVar("Content", bound=Written)


class SharedFile(Generic[Content]):
    """What a file holds now.

    Args:
        path: the file.
        read: gives its content.
        begin: the content as long as there is no file.
    """

    def __init__(self, path: Path, read: Callable[[Path], Content], begin: Content) -> None:
        self.path = path
        self._read = read
        self._lock = RLock()
        self._content = begin
        self._written: tuple[int, int] | None = None

    def now(self) -> Content:
        """What it holds now.

        Raises:
            InputError: it is broken.
        """
        with self._lock:
            written = version_of(self.path)
            if written is not None and written != self._written:
                self._content, self._written = self._read(self.path), written
            return self._content

    @contextmanager
    def changing(self) -> Iterator[Content]:
        """What it holds now, while nobody else writes it."""
        with self._lock, _alone_in(self.path.parent):
            yield self.now()

    def write(self, content: Content) -> None:
        """Replaces it; called while it is `changing`.

        Raises:
            InputError: it cannot be written.
        """
        write_whole(self.path, content.text())
        self._content, self._written = content, version_of(self.path)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One viewer at a time, where there is a folder yet, and the system can lock it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # writing into it makes it, or says why not
        yield
        return
    try:
        lock(handle, wait=True)
        yield
    finally:
        os.close(handle)
