"""What is read of a published data set, and how it is written: annotations of every split, and features."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
NUMBERED = re.compile(r"(\d{1,6})\s+(\S.*)")


@dataclass(frozen=True, eq=False)
class Recording:
    """One video, or one recording of sensors."""

    duration: float
    """Seconds."""
    actions: Sequence[NamedAction]
    features: Callable[[], NDArray[np.float32]]
    """Reads them: (T, D)."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A published data set."""

    recordings: Mapping[str, Recording]
    """By id."""
    class_names: tuple[str, ...]
    """In the published order."""
    splits: Mapping[str, Mapping[str, str]]
    """Name of a file of annotations -> id -> subset."""
    spec: FeatureSpec
    """How the features lie in time."""

    def write(self, out: Path, *, overwrite: bool = False) -> list[Path]:
        """Writes features with sidecars, then the annotations of every split.

        Returns:
            The files of annotations.

        Raises:
            InputError: a file is there already and is not to be replaced, or one cannot be written.
        """
        files = {id_: feature_file(out / FEATURES, id_) for id_ in self.recordings}
        annotations = [out / name for name in self.splits]
        check_absent([*annotations, *files.values()], overwrite=overwrite)
        for id_, file in files.items():
            _write_features(file, self.recordings[id_].features(), self.spec)
        for path, subsets in zip(annotations, self.splits.values(), strict=True):
            write_whole(path, self._annotations(subsets, str(path)))
        return annotations

    def _annotations(self, subsets: Mapping[str, str], source: str) -> str:
        every = ((id_, subset, self.recordings[id_]) for id_, subset in subsets.items())
        videos = [NamedVideo(id_, subset, one.duration, self.spec.fps, one.actions) for id_, subset, one in every]
        return annotations_text(with_class_numbers(videos, self.class_names, source))


def _write_features(file: Path, features: NDArray[np.float32], spec: FeatureSpec) -> None:
    writer = FeatureWriter(file, dim=features.shape[1])
    writer.append(features)
    writer.finish()
    write_sidecar(file, spec)


def read_lines(path: Path, expected: str) -> list[str]:
    """The lines of a published file that hold something, without blanks around them.

    Args:
        path: the file.
        expected: what it holds, for the message.

    Raises:
        InputError: it is missing, empty or no text.
    """
    if not path.is_file():
        raise InputError(f"{path}: missing, expected {expected}")
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
