"""Media segments on disk, up to so many bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from threading import Lock


class SegmentCache:
    """What was made, by key; what was not asked for for longest goes first.

    Args:
        folder: where files are written, of this object alone.
        limit: bytes that all together may have.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._sizes: OrderedDict[Hashable, tuple[Path, int]] = OrderedDict()
        self._written = 0
        self._closed = False
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        """What was put there, None if it is not, or no longer, here."""
        with self._lock:
            if key not in self._sizes:
                return None
            self._sizes.move_to_end(key)
            try:
                return self._sizes[key][0].read_bytes()
            except FileNotFoundError:  # temporary folders are swept
                del self._sizes[key]
                return None

    def put(self, key: Hashable, content: bytes) -> None:
        """Keeps a segment, and removes others until there is room."""
        with self._lock:
            if self._closed:
                return
            file = self._folder / f"{self._written}.segment"
            self._written += 1
            file.write_bytes(content)
            self._sizes[key] = file, len(content)
            while sum(size for _, size in self._sizes.values()) > self._limit:
                _, (oldest, _) = self._sizes.popitem(last=False)
                oldest.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is written any more."""
        with self._lock:
            self._closed = True
