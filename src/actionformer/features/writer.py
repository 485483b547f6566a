"""Feature files written row by row, of a length that only the end tells; whole or not at all."""

from __future__ import annotations

import io
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.core.files import naming, replacing


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
        with naming(path):
            self._file = self._place.enter_context(replacing(path)).open("wb")
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
