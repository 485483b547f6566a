"""Key points in HDF5: SLEAP's analysis files, and what DeepLabCut writes through pandas.

Their names of columns are pickled. Only plain lists, tuples, texts and numbers are unpickled; anything else is refused.
"""

from __future__ import annotations

import io
import json
import math
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, listed, reason_of
from actionformer.core.files import check_compression
from actionformer.core.hdf5 import opened_hdf5
from actionformer.keypoints.text import WHOLE, of_deeplabcut
from actionformer.keypoints.tracks import Tracks

LEAST_OF_SLEAP = 0.2
"""SLEAP's own threshold of peaks."""
DIMENSIONS = ("track", "xy", "node", "frame")
"""Of SLEAP's `tracks`, where the file does not say others."""


def read_hdf5(path: Path) -> Tracks:
    """The key points of a file.

    Raises:
        InputError: h5py is not installed, no such file, or one of another kind.
    """
    with _opened(path) as file:
        if "tracks" in file and "node_names" in file:
            return _sleap(path, file)
        if "df_with_missing" in file:
            return of_deeplabcut(path, *_deeplabcut(path, file))
        raise InputError(
            f"{path}: holds {listed(list(file))}, expected `tracks` and `node_names` (SLEAP's analysis) or "
            "`df_with_missing` (DeepLabCut)"
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with opened_hdf5(path) as file:
            yield file
    except InputError:
        raise
    except Exception as error:  # the library has many ways of refusing a broken file
        raise InputError(f"{path}: not a readable file of key points ({reason_of(error)})") from error


def _array(path: Path, file: Any, name: str) -> NDArray[Any]:
    """An array that lies in the file itself."""
    import h5py

    for place in _ancestors(name):
        if place not in file:
            raise InputError(f"{path}: has no {place}")
        if not isinstance(file.get(place, getlink=True), h5py.HardLink):
            raise InputError(f"{path}: {place} is a link, which may lead to other files: store the array here")
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
        raise InputError(f"{path}: {name} is no array in this file")
    check_compression(path, math.prod(item.shape or ()) * item.dtype.itemsize)
    return np.asarray(item[()])


def _ancestors(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _texts(array: NDArray[Any]) -> tuple[str, ...]:
    return tuple(one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in array.ravel())


def _sleap(path: Path, file: Any) -> Tracks:
    nodes = _texts(_array(path, file, "node_names"))
    tracks = _in_order(path, file, "tracks", DIMENSIONS, ("frame", "track", "node", "xy"))
    frames, animals, points, two = tracks.shape
    if two != 2 or points != len(nodes):
        raise InputError(f"{path}: its tracks are {file['tracks'].shape} for {len(nodes)} nodes, in no order known")
    names = _texts(_array(path, file, "track_names")) if "track_names" in file else ()
    if len(names) != animals:
        names = tuple(f"track_{number}" for number in range(animals))
    places = np.full((frames, animals, points, 3), np.nan, np.float32)
    places[..., :2] = tracks
    if "point_scores" in file:
        scores = _in_order(path, file, "point_scores", ("track", "node", "frame"), ("frame", "track", "node"))
        if scores.shape != places.shape[:3]:
            raise InputError(f"{path}: point_scores do not fit tracks")
        if (scores > 0).any():  # what people label has none
            places[..., 2] = scores
    return Tracks(names, nodes, places, LEAST_OF_SLEAP)


def _in_order(path: Path, file: Any, name: str, stored: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[Any]:
    """An array with its dimensions in another order; the file may say how it is stored."""
    array = _array(path, file, name)
    said = file[name].attrs.get("dims")
    if said is not None:
        stored = tuple(json.loads(said))
    if sorted(stored) != sorted(wanted) or array.ndim != len(wanted):
        raise InputError(f"{path}: {name} has dimensions {listed(stored)}, expected {listed(wanted)} in some order")
    return array.transpose([stored.index(one) for one in wanted])


def _deeplabcut(path: Path, file: Any) -> tuple[list[tuple[str, str, str]], NDArray[np.float64], list[str]]:
    """Animal, point and coordinate of each column, the columns (T, C), and what names each row."""
    group = "df_with_missing"
    if "table" in file[group]:
        columns = _unpickled(path, file[f"{group}/table"].attrs.get("values_block_0_kind", b""))
        table = _array(path, file, f"{group}/table")
        values, index = table["values_block_0"], table["index"]
    else:
        levels = int(file[group].attrs.get("block0_items_nlevels", 0))
        names = [_texts(_array(path, file, f"{group}/block0_items_level{level}")) for level in range(levels)]
        codes = [_array(path, file, f"{group}/block0_items_label{level}") for level in range(levels)]
        columns = list(zip(*([one[code] for code in row] for one, row in zip(names, codes, strict=True)), strict=True))
        values = _array(path, file, f"{group}/block0_values")
        index = _array(path, file, f"{group}/axis1") if "axis1" in file[group] else np.zeros(0, "S")
    wide = len({len(column) for column in columns}) == 1 and len(columns[0]) in (3, 4)
    if not wide or values.shape[1:] != (len(columns),):
        raise InputError(f"{path}: {values.shape} numbers in {len(columns)} columns, which are none of DeepLabCut")
    named = [(column[-3] if len(column) == 4 else WHOLE, column[-2], column[-1]) for column in columns]
    return named, values.astype(np.float64), list(_texts(index))


class _Plain(pickle.Unpickler):
    """Builds lists, tuples, texts and numbers, and nothing that a module defines."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is code")


def _unpickled(path: Path, content: bytes) -> list[tuple[str, ...]]:
    try:
        columns = _Plain(io.BytesIO(bytes(content))).load()
    except Exception as error:  # unpickling what is damaged raises anything
        raise InputError(f"{path}: its names of columns cannot be read ({error!s:.100}): write it as CSV") from error
    if not isinstance(columns, list) or not all(isinstance(column, tuple) for column in columns):
        raise InputError(f"{path}: its names of columns are none of DeepLabCut")
    return [tuple(map(str, column)) for column in columns]
