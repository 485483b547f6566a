"""Readings in NumPy's files: an array, or named arrays that are the channels of one recording."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, listed
from actionformer.core.files import check_compression
from actionformer.sensors.table import PIECE, Table, numbered

Array = NDArray[np.generic]
MOST_CHANNELS = 128
"""An array of more columns than this, and of no more rows, is taken to lie the other way round."""


class Stored:
    """The array of a .npy file as (T, C), mapped anew for each part that is read: pages of earlier ones are let go.

    Raises:
        InputError: no array of numbers (T, C).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shape, self.dtype = self._mapped().shape, self._mapped().dtype

    def __getitem__(self, part: tuple[slice, int]) -> Array:
        return np.array(self._mapped()[part])

    def _mapped(self) -> Array:
        return in_columns(np.load(self.path, mmap_mode="r", allow_pickle=False), f"{self.path}:")


class ArrayTable:
    """Arrays (T, C) side by side; see `Table`.

    Args:
        path: their file.
        arrays: name -> array, all of one length. An array of one column is called by its name, of several
            `NAME_1`, `NAME_2`, ...; a single array without a name has numbers.
    """

    units = ()
    rate = None
    note = None

    def __init__(self, path: Path, arrays: Mapping[str, Array | Stored]) -> None:
        self.path, self._arrays = path, list(arrays.values())
        self.named = "" not in arrays
        self.rows = self._arrays[0].shape[0]
        names, dates = list[str](), list[bool]()
        self._places: list[tuple[int, int]] = []
        for place, (name, array) in enumerate(zip(arrays, self._arrays, strict=True)):
            width = array.shape[1]
            own = numbered(width)
            names += own if not name else [name] if width == 1 else [f"{name}_{number}" for number in own]
            dates += [array.dtype.kind == "M"] * width
            self._places += [(place, column) for column in range(width)]
        self.names, self.dates = tuple(names), tuple(dates)
        self.numeric = tuple(not is_date for is_date in dates)

    def read(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Some columns, piece by piece."""
        for first in range(0, self.rows, PIECE):
            rows = slice(first, first + PIECE)
            yield np.stack([self._column(column, rows) for column in columns], axis=1)

    def last(self, column: int) -> float:
        """What a column holds in the last row."""
        return float(self._column(column, slice(self.rows - 1, self.rows))[0])

    def _column(self, column: int, rows: slice) -> NDArray[np.float64]:
        place, within = self._places[column]
        return as_numbers(self._arrays[place][rows, within])


def as_numbers(values: Array) -> NDArray[np.float64]:
    """Numbers as they are, dates as seconds since 1970."""
    if values.dtype.kind == "M":
        missing = np.isnat(values)
        return np.where(missing, np.nan, values.astype("datetime64[ns]").astype(np.int64) / 1e9)
    return values.astype(np.float64)


def in_columns(array: Array, whose: str) -> Array:
    """An array (T, C) as it is, one (T,) as (T, 1).

    Raises:
        InputError: another one; `whose` begins the message.
    """
    if array.ndim not in (1, 2) or array.dtype.kind not in "iufbM" or not array.size:
        raise InputError(f"{whose} an array {array.shape} of {array.dtype}, expected numbers (rows, channels)")
    if array.ndim == 2 and array.shape[0] <= MOST_CHANNELS < array.shape[1]:
        raise InputError(f"{whose} an array {array.shape}, expected (rows, channels): save its transpose, array.T")
    return array if array.ndim == 2 else array[:, None]


@contextmanager
def open_npy(path: Path) -> Iterator[Table]:
    """The array of a .npy file, of which only what is read comes into memory.

    Raises:
        InputError: no array of numbers (T, C).
    """
    yield ArrayTable(path, {"": Stored(path)})


@contextmanager
def open_npz(path: Path) -> Iterator[Table]:
    """The arrays of a .npz file as the channels of one recording; all of it comes into memory.

    Raises:
        InputError: arrays of several recordings, which differ in length, or none of numbers.
    """
    with zipfile.ZipFile(path) as archive:
        check_compression(path, sum(member.file_size for member in archive.filelist))
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    arrays = {
        name: in_columns(array, f"{path}: {name} is")
        for name, array in arrays.items()
        if array.ndim and array.dtype.kind in "iufbM"
    }
    if not arrays:
        raise InputError(f"{path}: no arrays of numbers, expected one per sensor (rows, channels)")
    if len({len(array) for array in arrays.values()}) > 1:
        lengths = listed([f"{name} ({len(array):,} rows)" for name, array in arrays.items()], 3)
        raise InputError(
            f"{path}: arrays of different lengths: {lengths}. Named arrays are the sensors of one recording; save each "
            "recording as a file of its own: for name, array in numpy.load(FILE).items(): numpy.save(f'{name}.npy', "
            "array)"
        )
    yield ArrayTable(path, {"": next(iter(arrays.values()))} if len(arrays) == 1 else arrays)
