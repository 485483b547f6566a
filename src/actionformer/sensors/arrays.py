"""Readings in NumPy's files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.sensors.table import Table, numbered

PIECE = 1 << 14
"""Rows read at once."""


class ArrayTable:
    """An array (T, C), or (T,) for one channel; see `Table`."""

    named = False

    def __init__(self, array: NDArray[np.generic]) -> None:
        self._array = array if array.ndim == 2 else array[:, None]
        self.rows, columns = self._array.shape
        self.names, self.numeric, self.dates = numbered(columns), (True,) * columns, (False,) * columns

    def read(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Some columns, piece by piece."""
        for first in range(0, self.rows, PIECE):
            yield np.asarray(self._array[first : first + PIECE, list(columns)], np.float64)


@contextmanager
def open_npy(path: Path) -> Iterator[Table]:
    """The array of a .npy file, of which only what is read comes into memory.

    Raises:
        InputError: no array of numbers (T, C).
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path}: is no array of numbers ({error})") from error
    if array.ndim not in (1, 2) or array.dtype.kind not in "iufb" or not array.size:
        raise InputError(f"{path}: an array {array.shape} of {array.dtype}, expected numbers (rows, channels)")
    yield ArrayTable(array)
