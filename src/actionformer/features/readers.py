"""The kinds of file that hold features: one (T, D) array each, of which a slice can be read alone."""

from __future__ import annotations

import io
import json
import math
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, listed, reason_of
from actionformer.core.files import check_compression, check_fetched
from actionformer.core.hdf5 import opened_hdf5

KEYS = ("feats", "features")  # names looked for in a file of several arrays
PICKLED = "holds pickled objects, which are never loaded: save one (T, D) array of float16 or float32 instead"


_LOADED = {
    ".pkl": "pickle.load(open('ID.pkl', 'rb'))",
    ".pickle": "pickle.load(open('ID.pickle', 'rb'))",
    ".pt": "torch.load('ID.pt', weights_only=True).cpu().numpy()",
    ".pth": "torch.load('ID.pth', weights_only=True).cpu().numpy()",
    ".mat": "scipy.io.loadmat('ID.mat')['NAME']",
    ".csv": "numpy.loadtxt('ID.csv', delimiter=',', skiprows=1)",
}


def other_features(path: Path) -> str:
    """What to do with features in files of another kind, as the end of a sentence, or nothing.

    Args:
        path: such a file, or a folder of them.
    """
    counts = Counter(file.suffix.lower() for file in (path.iterdir() if path.is_dir() else [path]))
    ending = max(_LOADED, key=lambda one: counts[one])
    if not counts[ending]:
        return ""
    which = f"; it holds {counts[ending]} {ending} files: save each" if path.is_dir() else "; save its features"
    return f"{which} as .npy, numpy.save('ID.npy', {_LOADED[ending]})"


_PLAIN_HEADER = re.compile(
    rb"\{'descr': '(<f[248])', 'fortran_order': (False|True), 'shape': \((\d{1,15}), (\d{1,15})\), \} *\n"
)
"""What numpy writes for features. It parses it as Python, which takes longer than reading some rows."""


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The array of a file: `shape`, `dtype` and slices read on demand; what goes wrong is an InputError."""
    if not path.is_file():
        raise InputError(f"{path}: no such feature file")
    if path.suffix.lower() not in READERS:
        raise InputError(
            f"{path}: unknown kind of feature file, expected {', '.join(READERS)} (of a video, extract makes one)"
        )
    try:
        with READERS[path.suffix.lower()](path) as array:
            yield array
    except InputError:
        raise
    except Exception as error:  # every library has its own ways of refusing a broken file
        check_fetched(path)
        if "Python objects" in str(error):
            raise InputError(f"{path}: {PICKLED}") from error
        raise InputError(f"{path}: not a readable {path.suffix} file ({reason_of(error)}): copy it again") from error


def _only(path: Path, names: Sequence[str]) -> str:
    """The name of the array to read in a file of named arrays."""
    known = [name for name in KEYS if name in names]
    if known or len(names) == 1:
        return known[0] if known else names[0]
    raise InputError(
        f"{path}: holds {listed(names, 5) or 'no arrays'}, expected one array, or one named {' or '.join(KEYS)}"
    )


class _StoredArray:
    """An array in a file as it lies in memory. It is read, not mapped: a file that is cut meanwhile is an error."""

    def __init__(self, file: BinaryIO, shape: tuple[int, ...], dtype: Any, *, by_column: bool = False) -> None:
        self.file, self.shape, self.dtype, self.by_column = file, shape, dtype, by_column
        self.offset = file.tell()
        held = os.fstat(file.fileno()).st_size - self.offset
        if held < math.prod(shape) * dtype.itemsize and not dtype.hasobject:
            raise ValueError(f"an array of shape {shape!s:.60} does not fit into it")

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        start, stop, _ = rows.indices(self.shape[0])
        length, width = self.shape
        if not self.by_column:
            return self._run(start * width, (stop - start) * width).reshape(stop - start, width)
        return np.stack([self._run(column * length + start, stop - start) for column in range(width)], axis=1)

    def _run(self, first: int, count: int) -> NDArray[Any]:
        values = np.empty(count, dtype=self.dtype)
        self.file.seek(self.offset + first * self.dtype.itemsize)
        if self.file.readinto(values.view(np.uint8)) != values.nbytes:  # type: ignore[attr-defined]
            raise ValueError("it was cut while it was read")
        return values


def _npy_header(stream: Any) -> tuple[tuple[int, ...], bool, Any]:
    """Shape, whether it lies column by column, and type."""
    if np.lib.format.read_magic(stream) != (1, 0):
        shape, by_column, dtype = np.lib.format.read_array_header_2_0(stream)
        return shape, by_column, dtype
    size = stream.read(2)
    header = stream.read(int.from_bytes(size, "little"))
    if plain := _PLAIN_HEADER.fullmatch(header):
        return (int(plain[3]), int(plain[4])), plain[2] == b"True", np.dtype(plain[1].decode())
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(io.BytesIO(size + header))
    return shape, by_column, dtype


@contextmanager
def _npy(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        shape, by_column, dtype = _npy_header(file)
        yield _StoredArray(file, shape, dtype, by_column=by_column)


class _ZippedArray:
    """One array of an .npz: shape and type from its header, everything decompressed for a slice."""

    def __init__(self, file: zipfile.ZipFile, member: str) -> None:
        self.file, self.member = file, member
        with file.open(member) as stream:
            self.shape, _, self.dtype = _npy_header(stream)

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        with self.file.open(self.member) as stream:
            array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        return array[rows]


@contextmanager
def _npz(path: Path) -> Iterator[Any]:
    with zipfile.ZipFile(path) as file:
        names = [name.removesuffix(".npy") for name in file.namelist()]
        array = _ZippedArray(file, _only(path, names) + ".npy")
        unpacked = sum(member.file_size for member in file.filelist)
        check_compression(path, max(unpacked, math.prod(array.shape) * array.dtype.itemsize))
        yield array


@contextmanager
def _hdf5(path: Path) -> Iterator[Any]:
    with opened_hdf5(path) as file:
        import h5py

        if links := [name for name in file if not isinstance(file.get(name, getlink=True), h5py.HardLink)]:
            raise InputError(f"{path}: {links[0]!r:.60} is a link, which may lead to other files: store the array here")
        arrays = [name for name, item in file.items() if isinstance(item, h5py.Dataset)]
        array = file[_only(path, arrays)]
        if array.external or array.is_virtual:
            raise InputError(f"{path}: the numbers of its array lie in other files: store the array here")
        check_compression(path, math.prod(array.shape or ()) * array.dtype.itemsize)
        yield array


class _Widened:
    """A stored array of floats; bfloat16, which numpy has not, as float32."""

    def __init__(self, array: _StoredArray, kind: str) -> None:
        self.array, self.shape, self.narrow = array, array.shape, kind == "BF16"
        self.dtype = np.dtype(np.float32) if self.narrow else array.dtype

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        values = self.array[rows]
        return (values.astype(np.uint32) << 16).view(np.float32) if self.narrow else values


_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@contextmanager
def _safetensors(path: Path) -> Iterator[Any]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as checked:  # its whole header, also what is not read here
        name = _only(path, list(checked.keys()))
        kind = checked.get_slice(name).get_dtype()
    if kind not in _FLOATS:
        raise InputError(f"{path}: array of {kind}, expected float16, float32 or float64")
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(size))[name]
        file.seek(8 + size + entry["data_offsets"][0])
        yield _Widened(_StoredArray(file, tuple(entry["shape"]), np.dtype(_FLOATS[kind])), kind)


READERS: dict[str, Callable[[Path], AbstractContextManager[Any]]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".safetensors": _safetensors,
}
"""How to open a file of each extension, in the order in which they are looked for."""
