"""Feature files: one (T, D) array a video, and beside it a sidecar that says how it lies in time.

Files are opened for every read and closed again, so `Features` are cheap to keep and to pickle.
"""

from __future__ import annotations

import json
import math
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.errors import InputError, missing_extra
from actionformer.files import read_json, write_whole
from actionformer.segments import TimeGrid

Floats = NDArray[np.float32]

KEYS = ("feats", "features")  # names looked for in a file of several arrays
MAX_LENGTH_DIFFERENCE = 4  # vectors that sources of one video may differ by; the longer ones are cut
MAX_DURATION_DIFFERENCE = 0.1  # share of a video that its features may leave uncovered, or go beyond

PICKLED = "holds pickled objects, which are never loaded: save one (T, D) array of float16 or float32 instead"


@dataclass(frozen=True)
class FeatureSpec:
    """What a sidecar says of a video's features; None where it does not say."""

    fps: float | None = None
    """Frames a second of the video that was read."""
    stride: float | None = None
    """Frames between neighbouring vectors."""
    num_frames: float | None = None
    """Frames that a vector covers."""
    backbone: str | None = None
    """What made the features."""
    weights_hash: str | None = None
    """Hash of the backbone's weights."""
    duration: float | None = None
    """Length of the video, seconds."""
    dim: int | None = None
    """Channels of a vector."""

    def __post_init__(self) -> None:
        for name in ("fps", "stride", "num_frames", "duration", "dim"):
            value = getattr(self, name)
            if value is not None and not _is_positive(value):
                raise InputError(f"{name} must be a positive number, found {value!r:.60}")
        for name in ("backbone", "weights_hash"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise InputError(f"{name} must be text, found {value!r:.60}")

    @property
    def grid(self) -> TimeGrid | None:
        """Where the vectors lie in time, if fps, stride and num_frames are all known."""
        if self.fps is None or self.stride is None or self.num_frames is None:
            return None
        return TimeGrid(fps=self.fps, stride=self.stride, num_frames=self.num_frames)


def _is_positive(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value > 0


def sidecar_path(path: str | Path) -> Path:
    """`<name>.json` beside a feature file."""
    return Path(path).with_suffix(".json")


def read_sidecar(path: str | Path) -> FeatureSpec:
    """The sidecar of a feature file; empty if there is none, other keys in it are left alone.

    Raises:
        InputError: broken JSON, or a value that cannot be meant.
    """
    sidecar = sidecar_path(path)
    if not sidecar.is_file():
        return FeatureSpec()
    content = read_json(sidecar)
    if not isinstance(content, dict):
        raise InputError(f"{sidecar}: expected an object with fps, stride, num_frames, found {content!r:.60}")
    names = {field.name for field in fields(FeatureSpec)}
    try:
        return FeatureSpec(**{name: value for name, value in content.items() if name in names})
    except InputError as error:
        raise InputError(f"{sidecar}: {error}") from error


def write_sidecar(path: str | Path, spec: FeatureSpec) -> None:
    """Write the sidecar of a feature file, whole or not at all; what is None is left out."""
    content = {name: value for name, value in asdict(spec).items() if value is not None}
    write_whole(sidecar_path(path), json.dumps(content, indent=1) + "\n")


@dataclass(frozen=True)
class Features:
    """Features of one video on disk: `features[a:b]` reads those rows only, as (b - a, D) float32.

    Several files are sources of one video, joined by channel.
    """

    paths: tuple[Path, ...]
    shape: tuple[int, int]
    """T vectors, D channels."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Floats:
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError(f"features are read in one piece, found a step of {step}")
        parts = [_read(path, start, max(start, stop)) for path in self.paths]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def open_features(*paths: str | Path, width: int | None = None) -> Features:
    """Look at a feature file, or at several that belong to one video, without loading it.

    Args:
        paths: `.npy`, `.npz`, `.h5`, `.hdf5` or `.safetensors`, each with one (T, D) array of floats. Lengths
            may differ by `MAX_LENGTH_DIFFERENCE`; the end of the longer ones is left out.
        width: channels expected, of all files together.

    Raises:
        InputError: a missing or broken file, an array of another shape or type, another width.
    """
    files = tuple(Path(path) for path in paths)
    shapes = [_shape(path) for path in files]
    lengths = [length for length, _ in shapes]
    found = sum(channels for _, channels in shapes)
    names = ", ".join(map(str, files))
    if max(lengths) - min(lengths) > MAX_LENGTH_DIFFERENCE:
        raise InputError(
            f"{names}: sources of one video have lengths {', '.join(map(str, lengths))}, expected a "
            f"difference of at most {MAX_LENGTH_DIFFERENCE}: extract them with the same fps and stride"
        )
    if width is not None and found != width:
        raise InputError(
            f"{names}: {found} channels, expected {width}: give the features that the model was made for, "
            "or set model.input_dim"
        )
    return Features(files, (min(lengths), found))


@dataclass(frozen=True)
class FeatureFolders:
    """Finds the features of a video: `<folder>/<prefix><id><extension>` in each of the folders."""

    folders: tuple[Path, ...]
    prefix: str = ""

    @classmethod
    def at(cls, folders: str | Path | Sequence[str | Path], prefix: str = "") -> FeatureFolders:
        """One folder, or several whose features are joined by channel.

        Raises:
            InputError: a folder that is not there.
        """
        several = [folders] if isinstance(folders, str | Path) else folders
        for folder in several:
            if not Path(folder).is_dir():
                raise InputError(f"{folder}: no such folder of features")
        return cls(tuple(Path(folder) for folder in several), prefix)

    def paths(self, video: str) -> list[Path | None]:
        """The file of a video in each folder, or None; where there are several, .npy comes first."""
        return [self._find(folder, video) for folder in self.folders]

    def _find(self, folder: Path, video: str) -> Path | None:
        candidates = (folder / f"{self.prefix}{video}{extension}" for extension in READERS)
        return next((path for path in candidates if path.is_file()), None)

    def open(self, video: str, width: int | None = None) -> Features:
        """The features of a video; see `open_features`.

        Raises:
            InputError: no file in one of the folders, or one that cannot be used.
        """
        paths = self.paths(video)
        for folder, path in zip(self.folders, paths, strict=True):
            if path is None:
                raise InputError(
                    f"video {video!r}: no features in {folder}: expected {self.prefix}{video} "
                    f"with one of {', '.join(READERS)}"
                )
        try:
            return open_features(*(path for path in paths if path is not None), width=width)
        except InputError as error:
            raise InputError(f"video {video!r}: {error}") from error

    def spec(self, video: str) -> FeatureSpec:
        """The sidecar of a video, in the first folder that has its features."""
        return next((read_sidecar(path) for path in self.paths(video) if path is not None), FeatureSpec())

    def missing(self, videos: Iterable[str]) -> list[str]:
        """Those of the videos that lack features in at least one of the folders."""
        return [video for video in videos if None in self.paths(video)]


def check_duration(name: str, length: int, duration: float, grid: TimeGrid) -> None:
    """Compare the time that features cover with the video's duration.

    Extraction may drop the last incomplete window or pad it, which makes up to a window or a stride. More is
    worth a warning, and an error if it is more than `MAX_DURATION_DIFFERENCE` of the video as well.

    Args:
        name: video or file, for the message.
        length: number of feature vectors.
        duration: seconds.
        grid: where they are taken to lie.

    Raises:
        InputError: features and duration cannot belong together.
    """
    covered = grid.seconds_covered(length)
    difference = abs(covered - duration)
    if difference <= max(grid.num_frames, grid.stride) / grid.fps + 1e-6:
        return
    message = (
        f"{name}: {length} features at fps {grid.fps:g}, stride {grid.stride:g}, "
        f"num_frames {grid.num_frames:g} cover {covered:.2f} s, the video lasts {duration:.2f} s"
    )
    if difference > MAX_DURATION_DIFFERENCE * duration:
        raise InputError(f"{message}: correct fps, stride or num_frames, or the duration in the annotations")
    warnings.warn(message, stacklevel=2)


def resize(features: Floats, length: int) -> Floats:
    """Features (T, D) resized to (length, D), linearly between cell centres, as published for ActivityNet."""
    import torch

    channels_first = torch.from_numpy(np.array(features.T, order="C"))[None]
    resized = torch.nn.functional.interpolate(channels_first, size=length, mode="linear", align_corners=False)
    return resized[0].T.contiguous().numpy()


def _shape(path: Path) -> tuple[int, int]:
    with _opened(path) as array:
        shape, dtype = tuple(array.shape), array.dtype
    if getattr(dtype, "hasobject", False):
        raise InputError(f"{path}: {PICKLED}")
    if getattr(dtype, "kind", None) != "f":
        raise InputError(f"{path}: array of {dtype}, expected float16, float32 or float64")
    if len(shape) != 2:
        raise InputError(f"{path}: array of shape {shape}, expected (T, D): one row for every moment")
    if 0 in shape:
        raise InputError(f"{path}: array of shape {shape} is empty, expected at least one row and one channel")
    return shape


def _read(path: Path, start: int, stop: int) -> Floats:
    with _opened(path) as array, np.errstate(over="ignore"):
        rows = np.array(array[start:stop], dtype=np.float32)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        row = start + int(finite.argmin())
        raise InputError(f"{path}: row {row} has a value that is not a finite number: extract the features again")
    return rows


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The array of a file: `shape`, `dtype` and slices read on demand; what goes wrong is an InputError."""
    if not path.is_file():
        raise InputError(f"{path}: no such feature file")
    if path.suffix.lower() not in READERS:
        raise InputError(f"{path}: unknown kind of feature file, expected {', '.join(READERS)}")
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
