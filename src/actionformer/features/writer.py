"""Feature files written row by row, of a length that only the end tells; whole or not at all."""

from __future__ import annotations

import io
from contextlib import ExitStack, suppress
from glob import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.errors import InputError
from actionformer.files import lock, part_name, replacing


class _DiscardedError(Exception):
    pass


class FeatureWriter:
    """Appends rows (n, D) to an `.npy` file, which is at `path` once `finish` was called.

    numpy leaves room in the header of such a file for the number of rows to be written last.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(self, path: str | Path, *, dim: int, dtype: str = "float32") -> None:
        self.path, self.dim, self.dtype = Path(path), dim, np.dtype(dtype)
        self.length = 0
        self._place = ExitStack()
        try:
            self._file = self._place.enter_context(replacing(path)).open("wb")
        except OSError as error:
            raise InputError(f"{path}: cannot write ({error.strerror or error})") from error
        lock(self._file)
        _remove_left(self.path)
        self._write(self._header())

    def append(self, rows: NDArray[np.floating]) -> None:
        """Adds rows (n, D)."""
        self._write(np.ascontiguousarray(rows, dtype=self.dtype).tobytes())
        self.length += len(rows)

    def complete(self) -> None:
        """Writes how many rows there are; the file is whole, not yet in its place."""
        self._file.seek(0)
        self._write(self._header(), last=True)

    def finish(self) -> None:
        """Puts the file into its place, whole."""
        if not self._file.closed:
            self.complete()
        self._place.close()

    def discard(self) -> None:
        """Leaves nothing behind."""
        with suppress(OSError):  # what is left in its buffer may not fit either
            self._file.close()
        with suppress(_DiscardedError), self._place:
            raise _DiscardedError

    def _write(self, content: bytes, *, last: bool = False) -> None:
        try:
            self._file.write(content)
            if last:
                self._file.close()
        except OSError as error:
            self.discard()
            raise InputError(f"{self.path}: cannot write ({error.strerror or error})") from error

    def _header(self) -> bytes:
        header = io.BytesIO()
        description = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.length, self.dim)}
        np.lib.format.write_array_header_1_0(header, description)
        return header.getvalue()


def _remove_left(path: Path) -> None:
    """Removes what processes that were killed have left of a file, and nothing that another one is writing."""
    before, _, after = part_name(path.name, "/").partition("/")
    for left in path.parent.glob(f"{escape(before)}*{after}"):
        with suppress(OSError), left.open("rb") as file:
            if lock(file):
                left.unlink()
