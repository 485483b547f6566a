"""Features of a video: found, looked at, and read in slices.

Files are opened for every read and closed again, so `Features` are cheap to keep and to pickle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from glob import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, warn
from actionformer.core.names import explained, file_of, matched, without_prefix
from actionformer.core.segments import TimeGrid
from actionformer.core.words import plural
from actionformer.features.joining import MAX_LENGTH_DIFFERENCE, Resampling, check_covered, resampling
from actionformer.features.readers import PICKLED, READERS, opened, other_features
from actionformer.features.spec import FeatureSpec, joined_spec, read_sidecar
from actionformer.features.timing import timing_of

Floats = NDArray[np.float32]

MAX_DURATION_DIFFERENCE = 0.1  # share of a video that its features may leave uncovered, or go beyond
TRANSPOSED = "are they stored as (D, T)? Transpose them: a row for every moment, (T, D)"
AS_LEARNED = "give the features that the model was made for"


@dataclass(frozen=True)
class Features:
    """Features of one video on disk: `features[a:b]` reads those rows only, as (b - a, D) float32.

    Several files are sources of one video, joined by channel.
    """

    paths: tuple[Path, ...]
    shape: tuple[int, int]
    """T vectors, D channels."""
    stored: tuple[tuple[int, int], ...] = ()
    """The shapes of the files."""
    resampled: tuple[Resampling | None, ...] = ()
    """How each file is read at the moments of the first; None where its rows lie there. Empty, they all do."""
    written: tuple[int | None, ...] = field(default=(), compare=False)
    """When each file was last written, ns, as it was first looked at. What is written later is refused."""

    def __len__(self) -> int:
        return self.shape[0]

    def check_width(self, width: int, *, swapped: bool = False, advice: str = AS_LEARNED) -> None:
        """Checks how many channels there are.

        Args:
            width: how many there have to be.
            swapped: those of other videos look stored as (D, T).
            advice: what to do about others, unless these look stored so too.

        Raises:
            InputError: there are not `width`.
        """
        length, found = self.shape
        if found == width:
            return
        if swapped or length == width:
            advice = f"features of shape ({length}, {found}): {TRANSPOSED}"
        raise InputError(f"{', '.join(map(str, self.paths))}: {found} channels, expected {width}: {advice}")

    def __getitem__(self, rows: slice) -> Floats:
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError(f"features can only be sliced with step 1, found step {step}")
        return self.blocks([slice(start, max(start, stop))])

    def blocks(self, parts: Sequence[slice]) -> Floats:
        """The rows of several slices, start and stop each, one after the other; every file is opened once."""
        ways = self.resampled or (None,) * len(self.paths)
        files = zip(self.paths, self.stored, ways, strict=True)
        sources = [
            _read(path, parts, shape) if way is None else _read_at(way, path, parts, shape)
            for path, shape, way in files
        ]
        for path, written in zip(self.paths, self.written, strict=True):
            _check_unwritten(path, written)
        return sources[0] if len(sources) == 1 else np.concatenate(sources, axis=1)


def open_features(
    *paths: str | Path, width: int | None = None, timing: FeatureSpec | None = None, made_for: FeatureSpec | None = None
) -> Features:
    """Look at a feature file, or at several that belong to one video, without loading it.

    Of several files, those that lie in time as the first are joined row by row; their lengths may differ by
    `MAX_LENGTH_DIFFERENCE`, and the end of the longer ones is left out. Others are read at the moments of the first,
    see `actionformer.features.joining`. How a file lies in time its sidecar says, else `made_for`; one of which nobody
    says anything lies as the first.

    Args:
        paths: `.npy`, `.npz`, `.h5`, `.hdf5` or `.safetensors`, each with one (T, D) array of floats.
        width: channels expected, of all files together.
        timing: fps, stride, num_frames and start of the first file; by default as of the others.
        made_for: the features that a model was trained on, where there is one.

    Raises:
        InputError: a missing or broken file, an array of another shape or type, another width than expected or than
            its sidecar says, or files that do not cover the same time.
    """
    files = tuple(Path(path) for path in paths)
    written = tuple(_written(path) for path in files)
    shapes = tuple(_shape(path) for path in files)
    for path, shape in zip(files, shapes, strict=True):
        _check_stated(path, shape)
    joined, known = (
        Features(files, (shapes[0][0], sum(channels for _, channels in shapes)), shapes, written=written),
        made_for or FeatureSpec(),
    )
    _check_sources(joined, known)
    if len(files) > 1:
        joined = _joined(joined, _grids(files, timing or FeatureSpec(), known))
    if width is not None:
        joined.check_width(width)
    return joined


def _check_stated(path: Path, shape: tuple[int, int]) -> None:
    """Checks that a file has as many channels as its sidecar says.

    Raises:
        InputError: it has others.
    """
    stated, (rows, channels) = read_sidecar(path).dim, shape
    if stated not in (None, channels):
        if stated == rows:
            raise InputError(f"{path}: features of shape {shape}, its sidecar says dim {stated}: {TRANSPOSED}")
        raise InputError(
            f"{path}: {plural(channels, 'channel')}, its sidecar says dim {stated}: it belongs to other features, "
            "extract these again or correct it"
        )


def _check_sources(features: Features, made_for: FeatureSpec) -> None:
    """Checks that files are the sources that a model joins, in its order, as far as it is known; or joined already.

    Raises:
        InputError: they are not; names the channels of all.
    """
    widths, expected = ([shape[1] for shape in features.stored], [one.dim for one in made_for.sources])
    if not expected or None in expected or widths in (expected, [made_for.dim]):
        return
    found, wanted = (" and ".join(map(str, one)) for one in (widths, expected))
    raise InputError(
        f"{', '.join(map(str, features.paths))}: {found} channels, but the model joins {len(expected)} sources of "
        f"{wanted} channels: give the features of all of them, in this order (detect: --other-sources)"
    )


def _grids(files: Sequence[Path], first: FeatureSpec, made_for: FeatureSpec) -> list[TimeGrid] | None:
    """Where the rows of several files of one video lie; None where nobody says it of the first."""
    models = made_for.sources if len(made_for.sources) == len(files) else (FeatureSpec(),) * len(files)
    sidecars = [read_sidecar(path) for path in files]
    target = timing_of(call=first, sidecar=sidecars[0], model=made_for).grid
    if target is None:
        return None
    said = [timing_of(sidecar=one, model=model) for one, model in zip(sidecars[1:], models[1:], strict=True)]
    rest = replace(FeatureSpec.on(target), start=None)
    filled = [timing_of(sidecar=one, settings=rest).grid for one in said]
    return [
        target,
        *(target if one == FeatureSpec() or grid is None else grid for one, grid in zip(said, filled, strict=True)),
    ]


def _joined(plain: Features, grids: Sequence[TimeGrid] | None) -> Features:
    """Files of one video, joined row by row or by time.

    Raises:
        InputError: their lengths, or the times that they cover, differ by more than a few rows.
    """
    lengths, names = [length for length, _ in plain.stored], list(map(str, plain.paths))
    ways = (None,) * len(lengths) if grids is None else tuple(resampling(one, grids[0]) for one in grids)
    alike = [length for length, way in zip(lengths, ways, strict=True) if way is None]
    if max(alike) - min(alike) > MAX_LENGTH_DIFFERENCE:
        raise InputError(
            f"{', '.join(names)}: sources of one video have lengths {', '.join(map(str, lengths))}, expected a "
            f"difference of at most {MAX_LENGTH_DIFFERENCE}: extract them with the same fps and stride, or say in a "
            "sidecar beside each what its own are, and they are joined by time"
        )
    if grids is None or not any(ways):
        return replace(plain, shape=(min(lengths), plain.shape[1]))
    check_covered(grids, lengths, names)
    covered = [length if way is None else way.covered(length) for length, way in zip(lengths, ways, strict=True)]
    return replace(plain, shape=(min(covered), plain.shape[1]), resampled=ways)


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
        if video in self._known:
            return list(self._known[video])
        found = [self._find(folder, video) for folder in self.folders]
        if None not in found:
            self._known[video] = found
        return list(found)

    def _find(self, folder: Path, video: str) -> Path | None:
        try:
            candidates = (file_of(folder, video, extension, self.prefix) for extension in READERS)
            if found := next((path for path in candidates if path.is_file()), None):
                return found
        except (InputError, OSError):  # no file is called so
            return None
        if video.isascii():
            return None
        files = self._files[self.folders.index(folder)]
        return files.get(matched([video], files).get(video, ""))

    @cached_property
    def _known(self) -> dict[str, list[Path | None]]:
        """Videos that were found in every folder, whose files are not looked for again."""
        return {}

    @property
    def ids(self) -> list[str]:
        """Of all videos that have features in the first folder or its subfolders, sorted."""
        return sorted(self._files[0])

    @cached_property
    def _files(self) -> list[dict[str, Path]]:
        """Of each folder id -> file."""
        return [self._listed(folder) for folder in self.folders]

    def _listed(self, folder: Path) -> dict[str, Path]:
        found: dict[str, Path] = {}
        order = list(READERS)
        files = [file for file in folder.rglob(f"{escape(self.prefix)}*") if file.suffix.lower() in order]
        for file in sorted(files, key=lambda file: -order.index(file.suffix.lower())):  # the first kind counts
            name = file.relative_to(folder)
            found[without_prefix((name.parent / name.stem).as_posix(), self.prefix)] = file
        return found

    def open(
        self,
        video: str,
        width: int | None = None,
        *,
        timing: FeatureSpec | None = None,
        made_for: FeatureSpec | None = None,
    ) -> Features:
        """The features of a video; see `open_features`.

        Args:
            video: its id.
            width: channels expected, of all folders together.
            timing: of the features in the first folder.
            made_for: the features that a model was trained on, where there is one.

        Raises:
            InputError: no file in one of the folders, or one that cannot be used.
        """
        paths = self.paths(video)
        for folder, path in zip(self.folders, paths, strict=True):
            if path is None:
                near = explained([video], list(self._listed(folder)))
                raise InputError(
                    f"video {video!r}: no features in {folder}: expected {self.prefix}{video} "
                    f"with one of {', '.join(READERS)}{near}{other_features(folder)}"
                )
        try:
            files = (path for path in paths if path is not None)
            return open_features(*files, width=width, timing=timing, made_for=made_for)
        except InputError as error:
            raise InputError(f"video {video!r}: {error}") from error

    def spec(self, video: str) -> FeatureSpec:
        """What the sidecars of a video say: see `joined_spec`."""
        return joined_spec([read_sidecar(path) for path in self.paths(video) if path is not None])

    def missing(self, videos: Iterable[str]) -> list[str]:
        """Those of the videos that lack features in at least one of the folders."""
        return [video for video in videos if None in self.paths(video)]


def check_duration(name: str, length: int, duration: float, grid: TimeGrid) -> None:
    """Compare the time that features cover with the video's duration.

    Args:
        name: video or file, for the message.
        length: number of feature vectors.
        duration: where the video ends, seconds.
        grid: where they are taken to lie.

    Raises:
        InputError: features and duration cannot belong together.
    """
    if difference := compare_duration(name, length, duration, grid):
        if difference.hopeless:
            raise InputError(difference.message)
        warn(difference.message, stacklevel=2)


class DurationDifference(NamedTuple):
    """What to say of features that cover another time than their video lasts."""

    message: str
    hopeless: bool
    """They cannot belong together."""
    transposed: bool
    """They could, were they stored as (D, T)."""


def compare_duration(
    name: str,
    length: int,
    duration: float,
    grid: TimeGrid,
    width: int | None = None,
    made_of: float | None = None,
) -> DurationDifference | None:
    """How the time that features cover differs from the video's duration; see `check_duration`.

    With `width`, the channels of features whose model is not known yet, those stored as (D, T) are told; with
    `made_of`, where the file ended that features were made of, one that was cut short.

    Extraction may drop the last incomplete window or pad it, which makes up to a window or a stride. More is
    worth a warning, and an error if it is more than `MAX_DURATION_DIFFERENCE` of the video as well.
    """
    covered = grid.seconds_covered(length)
    difference = abs(covered - duration)
    if difference <= grid.tolerance:
        return None
    message = (
        f"{name}: {plural(length, 'feature')} at fps {grid.fps:g}, stride {grid.stride:g}, "
        f"num_frames {grid.num_frames:g} cover {covered:.2f} s, the video lasts {duration:.2f} s"
    )
    swapped = width is not None and abs(grid.seconds_covered(width) - duration) <= grid.tolerance
    cause = (
        f"features of shape ({length}, {width}): {TRANSPOSED}" if swapped else _likely_unit(duration / covered, grid)
    )
    if made_of is not None and made_of < duration and abs(covered - made_of) <= grid.tolerance:
        cause = cause or (
            f"the file that they were made of ended at {made_of:.2f} s: if it was cut short, copy it again and extract "
            "it anew, or take the video out of the annotations; if not, correct the duration that annotations state"
        )
    cause = cause or "correct fps, stride or num_frames, or the duration that annotations or sidecar state"
    return DurationDifference(
        f"{message}: {cause}", difference > MAX_DURATION_DIFFERENCE * (duration - grid.start), swapped
    )


def _likely_unit(ratio: float, grid: TimeGrid) -> str:
    """What a duration is counted in that is `ratio` times too long, as a question; nothing if no unit is near."""
    unit, size = min(grid.units.items(), key=lambda one: abs(ratio / one[1] - 1))
    near = abs(ratio / size - 1) <= MAX_DURATION_DIFFERENCE
    return f"is the duration in {unit}? It is in seconds" if near else ""


def resize(features: Floats, length: int) -> Floats:
    """Features (T, D) resized to (length, D), linearly between cell centres, as published for ActivityNet."""
    scale = float(np.float32(len(features)) / np.float32(length))  # as published: in float32, the position rounded once
    position = (scale * (np.arange(length) + 0.5) - 0.5).astype(np.float32).clip(0, len(features) - 1)
    left = position.astype(np.int64)
    right = np.minimum(left + 1, len(features) - 1)
    weight = (position - left.astype(np.float32))[:, None]
    resized: Floats = features[left] * (1 - weight) + features[right] * weight
    return resized


def _written(path: Path) -> int | None:
    """When a file was last written, ns; None of one that is not there, which reading it tells."""
    return path.stat().st_mtime_ns if path.is_file() else None


def _check_unwritten(path: Path, written: int | None) -> None:
    """Checks that a file is what it was.

    Raises:
        InputError: it was written since.
    """
    if _written(path) not in (written, None):
        raise InputError(f"{path}: was written again after it was first read: start again when it is complete")


def _shape(path: Path) -> tuple[int, int]:
    with opened(path) as array:
        shape, dtype = tuple(array.shape), array.dtype
    if getattr(dtype, "hasobject", False):
        raise InputError(f"{path}: {PICKLED}")
    if getattr(dtype, "kind", None) != "f":
        raise InputError(f"{path}: array of {dtype}, expected float16, float32 or float64")
    if len(shape) != 2:
        raise InputError(f"{path}: array of shape {shape}, expected (T, D): one row for every moment")
    if min(shape) < 1:
        raise InputError(f"{path}: array of shape {shape} is empty, expected at least one row and one channel")
    return shape


def _read(path: Path, parts: Sequence[slice], shape: tuple[int, int]) -> Floats:
    with opened(path) as array, np.errstate(over="ignore"):
        if tuple(array.shape) != shape:
            raise InputError(f"{path}: had shape {shape} when it was first read, now {tuple(array.shape)}: start again")
        read = [_finite(np.asarray(array[part], dtype=np.float32), part.start, path) for part in parts]
    return read[0] if len(read) == 1 else np.concatenate(read)


def _read_at(way: Resampling, path: Path, parts: Sequence[slice], shape: tuple[int, int]) -> Floats:
    """Rows of another source's moments; what they are made of is read."""
    wanted = [part for part in parts if part.start < part.stop]
    needed = [way.needed(part, shape[0]) for part in wanted]
    read = _read(path, needed, shape) if needed else np.empty((0, shape[1]), np.float32)
    pieces = np.split(read, np.cumsum([part.stop - part.start for part in needed])[:-1]) if needed else []
    made = [way(piece, own.start, part) for piece, own, part in zip(pieces, needed, wanted, strict=True)]
    return np.concatenate([read[:0], *made])


def _finite(rows: Floats, first: int, path: Path) -> Floats:
    """Rows of which none holds a value that is not finite; `first` is the number of the first in its file."""
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        row = first + int(finite.argmin())
        raise InputError(
            f"{path}: row {row} has a value that is not a finite number in float32: extract the features again"
        )
    return rows
