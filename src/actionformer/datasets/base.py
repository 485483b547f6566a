"""What is read of a published data set, and how it is written: annotations of every split, and features."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import NamedAction, NamedVideo, with_class_numbers
from actionformer.core.errors import InputError
from actionformer.core.files import check_absent, read_text, write_whole
from actionformer.features.spec import FeatureSpec, feature_file, write_sidecar
from actionformer.features.writer import FeatureWriter
from actionformer.formats.activitynet import annotations_text

TRAINING, TEST = "training", "test"
"""The subsets that presets train on and score."""
FEATURES = "features"
"""The folder of features that is written."""
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
NUMBERED = re.compile(r"(\d{1,6})\s+(\S.*)")


@dataclass(frozen=True, eq=False)
class Recording:
    """One video, or one recording of sensors."""

    duration: float | None
    """Seconds, if the data set says."""
    actions: Sequence[NamedAction]
    features: Callable[[], NDArray[np.float32]] | None = None
    """Reads them: (T, D); None if the data set is published without."""
    fps: float | None = None
    """Frames per second of the video, if the data set says; by default what the features count."""


@dataclass(frozen=True)
class Counts:
    """What a published data set has, as far as that is established."""

    classes: int
    videos: Mapping[str, int] = field(default_factory=dict)
    """Subset of the first split -> how many."""
    actions: Mapping[str, int] = field(default_factory=dict)
    """The same of actions."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A published data set."""

    recordings: Mapping[str, Recording]
    """By id."""
    class_names: tuple[str, ...]
    """In the published order."""
    splits: Mapping[str, Mapping[str, str]]
    """Name of a file of annotations -> id -> subset."""
    spec: FeatureSpec | None = None
    """How the features lie in time, of a data set with features."""
    published: Counts | None = None
    """What it must have if all of it is there."""

    @property
    def has_features(self) -> bool:
        """Whether features are written."""
        return any(one.features is not None for one in self.recordings.values())

    def differences(self) -> list[str]:
        """In what it differs from what was published, such as `200 validation videos (here 3)`."""
        return list(self._differences(self.published)) if self.published is not None else []

    def _differences(self, published: Counts) -> Iterator[str]:
        subsets = next(iter(self.splits.values()))
        videos = Counter(subsets.values())
        actions = Counter(subset for id_, subset in subsets.items() for _ in self.recordings[id_].actions)
        counts = [(f"{subset} videos", number, videos[subset]) for subset, number in published.videos.items()]
        counts += [(f"{subset} actions", number, actions[subset]) for subset, number in published.actions.items()]
        for what, expected, found in [("classes", published.classes, len(self.class_names)), *counts]:
            if found != expected:
                yield f"{expected:,} {what} (here {found:,})"

    def write(self, out: Path, *, overwrite: bool = False) -> list[Path]:
        """Writes features with sidecars, then the annotations of every split.

        Returns:
            The files of annotations.

        Raises:
            InputError: a file is there already and is not to be replaced, or one cannot be written.
        """
        files = {id_: feature_file(out / FEATURES, id_) for id_, one in self.recordings.items() if one.features}
        annotations = [out / name for name in self.splits]
        check_absent([*annotations, *files.values()], overwrite=overwrite)
        for id_, file in files.items():
            _write_features(file, self.recordings[id_], self.spec)
        for path, subsets in zip(annotations, self.splits.values(), strict=True):
            write_whole(path, self._annotations(subsets, str(path)))
        return annotations

    def _annotations(self, subsets: Mapping[str, str], source: str) -> str:
        rate = self.spec.fps if self.spec is not None else None
        every = ((id_, subset, self.recordings[id_]) for id_, subset in subsets.items())
        videos = [NamedVideo(id_, subset, one.duration, one.fps or rate, one.actions) for id_, subset, one in every]
        return annotations_text(with_class_numbers(videos, self.class_names, source))


def _write_features(file: Path, recording: Recording, spec: FeatureSpec | None) -> None:
    assert recording.features is not None
    assert spec is not None
    features = recording.features()
    writer = FeatureWriter(file, dim=features.shape[1])
    writer.append(features)
    writer.finish()
    write_sidecar(file, spec)


def missing(path: Path, rest: str) -> InputError:
    """The error of a file that is not there; names an archive beside it, which somebody forgot to unpack.

    Args:
        path: the file.
        rest: of the message: what was expected, or where else it was looked for.
    """
    folder = next(one for one in path.parents if one.is_dir())
    packed = sorted(one.name for one in folder.iterdir() if one.suffix.lower() in ARCHIVES)
    return InputError(f"{path}: missing, {rest}{f'; unpack {packed[0]} first' if packed else ''}")


def folder_of(source: Path, name: str) -> Path:
    """The folder in which a file of that name lies: the one that was given, or the only one below it.

    Raises:
        InputError: several folders below have one.
    """
    if (source / name).is_file():
        return source
    found = sorted(path.parent for path in source.rglob(name))
    if len(found) > 1:
        raise InputError(
            f"{source}: {', '.join(map(str, found[:3]))} have a {name} each: give the folder that is meant"
        )
    return found[0] if found else source


def read_lines(path: Path, expected: str) -> list[str]:
    """The lines of a published file that hold something, without blanks around them.

    Args:
        path: the file.
        expected: what it holds, for the message.

    Raises:
        InputError: it is missing, empty or no text.
    """
    if not path.is_file():
        raise missing(path, f"expected {expected}")
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]


def read_names(path: Path, example: str) -> dict[int, str]:
    """The classes of a published file that gives each a line: its number, then its name.

    Raises:
        InputError: the file is missing, or a line is laid out in another way; names it.
    """
    names: dict[int, str] = {}
    for line in read_lines(path, f"one number and one class per line, such as {example!r}"):
        if not (found := NUMBERED.fullmatch(line)):
            raise InputError(
                f"{path}: expected one number and one class per line, such as {example!r}, found {line!r:.60}"
            )
        names[int(found[1])] = found[2]
    return names
