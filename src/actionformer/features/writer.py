"""Feature files written row by row, of a length that only the end tells; whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from actionformer.files import replacing


class FeatureWriter:
    """Appends rows (n, D) to an `.npy` file; numpy leaves room in its header for the length to be written last."""

    def __init__(self, file: IO[bytes], *, dim: int, dtype: str = "float32") -> None:
        self.file, self.dim, self.dtype = file, dim, np.dtype(dtype)
        self.length = 0
        file.write(self._header())

    def append(self, rows: NDArray[np.floating]) -> None:
        """Adds rows (n, D)."""
        self.file.write(np.ascontiguousarray(rows, dtype=self.dtype).data)
        self.length += len(rows)

    def finish(self) -> None:
        """Writes how many rows there are."""
        self.file.seek(0)
        self.file.write(self._header())

    def _header(self) -> bytes:
        header = io.BytesIO()
        description = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.length, self.dim)}
        np.lib.format.write_array_header_1_0(header, description)
        return header.getvalue()


@contextmanager
def writing_features(path: str | Path, *, dim: int, dtype: str = "float32") -> Iterator[FeatureWriter]:
    """A writer whose file is at `path` once the block ends without an error.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        writer = FeatureWriter(file, dim=dim, dtype=dtype)
        yield writer
        writer.finish()
