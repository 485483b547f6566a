"""The kinds of file that hold features: one (T, D) array each, of which a slice can be read alone."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.errors import InputError, missing_extra

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


def other_features(folder: Path) -> str:
    """What to do with features in a folder that are in files of another kind, as the end of a sentence, or nothing."""
    counts = Counter(file.suffix.lower() for file in folder.iterdir()) if folder.is_dir() else Counter()
    ending = max(_LOADED, key=lambda one: counts[one])
    if not counts[ending]:
        return ""
    return f"; it holds {counts[ending]} {ending} files: save each as .npy, numpy.save('ID.npy', {_LOADED[ending]})"


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
        if "Python objects" in str(error):
            raise InputError(f"{path}: {PICKLED}") from error
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a readable {path.suffix} file ({reason:.100}): copy it again") from error


def _only(path: Path, names: Sequence[str]) -> str:
    """The name of the array to read in a file of named arrays."""
    known = [name for name in KEYS if name in names]
    if known or len(names) == 1:
        return known[0] if known else names[0]
    held = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    raise InputError(f"{path}: holds {held or 'no arrays'}, expected one array, or one named {' or '.join(KEYS)}")


@contextmanager
def _npy(path: Path) -> Iterator[Any]:
    yield np.lib.format.open_memmap(path, mode="r")


class _ZippedArray:
    """One array of an .npz: shape and type from its header, everything decompressed for a slice."""

    def __init__(self, file: zipfile.ZipFile, member: str) -> None:
        self.file, self.member = file, member
        with file.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            self.shape, _, self.dtype = read(stream)

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        with self.file.open(self.member) as stream:
            array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        return array[rows]


@contextmanager
def _npz(path: Path) -> Iterator[Any]:
    with zipfile.ZipFile(path) as file:
        names = [name.removesuffix(".npy") for name in file.namelist()]
        yield _ZippedArray(file, _only(path, names) + ".npy")


@contextmanager
def _hdf5(path: Path) -> Iterator[Any]:
    try:
        import h5py
    except ImportError as error:
        raise missing_extra("h5py", "hdf5", f"{path}: reading HDF5") from error
    with h5py.File(path, "r") as file:
        arrays = [name for name, item in file.items() if isinstance(item, h5py.Dataset)]
        yield file[_only(path, arrays)]


class _TensorSlice:
    """One tensor of a .safetensors file; torch reads it, as numpy has no bfloat16."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor
        self.shape, name = tensor.get_shape(), tensor.get_dtype()
        self.dtype = np.dtype(np.float32) if name in ("F16", "BF16", "F32", "F64") else name

    def __getitem__(self, rows: slice) -> Any:
        return self.tensor[rows].float().numpy()


@contextmanager
def _safetensors(path: Path) -> Iterator[Any]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        yield _TensorSlice(file.get_slice(_only(path, list(file.keys()))))


READERS: dict[str, Callable[[Path], AbstractContextManager[Any]]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".safetensors": _safetensors,
}
"""How to open a file of each extension, in the order in which they are looked for."""
