"""Data sets that name a class for every frame, laid out as MS-TCN publishes them (Farha and Gall, CVPR 2019).

mapping.txt                    number and name of a class
groundTruth/<id>.txt           the class of one frame per line
features/<id>.npy              (D, T), a column a frame
splits/train.split1.bundle     <id>.txt a line; likewise test.split1.bundle, and other splits
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import NamedAction
from actionformer.core.errors import InputError
from actionformer.datasets.base import (
    TEST,
    TRAINING,
    Counts,
    Dataset,
    Recording,
    folder_of,
    missing,
    read_lines,
    read_names,
)
from actionformer.features.arrays import MAX_DURATION_DIFFERENCE, Features, open_features
from actionformer.features.spec import FeatureSpec
from actionformer.formats.frame_runs import runs

BUNDLE = re.compile(r"train\.split(\d+)\.bundle")


def read_framewise(
    source: Path, spec: FeatureSpec, *, every: int = 1, background: Iterable[str], published: Counts | None = None
) -> Dataset:
    """The data set in its folder.

    Args:
        source: the folder, or one above it.
        spec: of the features that are kept, one for `every` frames: the middle one.
        every: how many frames a feature stands for.
        background: classes that are no action.
        published: what the whole data set has.

    Raises:
        InputError: a file is missing or laid out in another way; it is named with what was expected.
    """
    assert spec.fps is not None
    source = folder_of(source, "mapping.txt")
    names = read_names(source / "mapping.txt", "0 take").values()
    splits = _splits(source / "splits")
    ids = sorted({id_ for subsets in splits.values() for id_ in subsets})
    recordings = {}
    for id_ in ids:
        truth = source / "groundTruth" / f"{id_}.txt"
        labels = _labels(truth, set(names))
        actions = segments(labels, spec.fps * every, set(background), str(truth))
        features = partial(_kept, _features(source / "features" / f"{id_}.npy", len(labels), every), len(labels), every)
        recordings[id_] = Recording(len(labels) / (spec.fps * every), actions, features)
    return Dataset(recordings, tuple(name for name in names if name not in set(background)), splits, spec, published)


def segments(labels: Sequence[str], fps: float, background: set[str], where: str = "labels") -> list[NamedAction]:
    """Actions of a label a frame: neighbours of one class are one action, a background class is none."""
    return [
        NamedAction(start / fps, end / fps, label, None, where)
        for start, end, label in runs(labels)
        if label not in background
    ]


def _splits(folder: Path) -> dict[str, dict[str, str]]:
    """Name of a file of annotations -> id -> subset."""
    numbers = sorted(int(match[1]) for path in folder.glob("*.bundle") if (match := BUNDLE.fullmatch(path.name)))
    return {f"annotations_split{number}.json": _split(folder, number) for number in numbers or [1]}


def _split(folder: Path, number: int) -> dict[str, str]:
    subsets: dict[str, str] = {}
    for subset, part in ((TRAINING, "train"), (TEST, "test")):
        bundle = folder / f"{part}.split{number}.bundle"
        for line in read_lines(bundle, "one file name of groundTruth per line, such as S1_Cheese_C1.txt"):
            id_ = line.rpartition("/")[2].removesuffix(".txt")
            if subsets.setdefault(id_, subset) != subset:
                raise InputError(f"{bundle}: {id_} is a training video of this split as well")
    return subsets


def _labels(path: Path, names: set[str]) -> list[str]:
    labels = read_lines(path, "the class of one frame per line")
    if unknown := sorted(set(labels) - names):
        raise InputError(f"{path}: expected one class of mapping.txt per line, found {unknown[0]!r:.60}")
    return labels


def _features(path: Path, frames: int, every: int) -> Features:
    """The published file, whose rows are channels."""
    if not path.is_file():
        raise missing(path, "expected an array (D, T) with one column per frame")
    features = open_features(path)
    channels, length = features.shape
    if abs(length - frames) > MAX_DURATION_DIFFERENCE * frames or min(length, frames) <= every // 2:
        raise InputError(
            f"{path}: expected an array (D, T) with one column for each of the {frames} frames of groundTruth, "
            f"found ({channels}, {length})"
        )
    return features


def _kept(features: Features, frames: int, every: int) -> NDArray[np.float32]:
    """(T, D) of the frames that have a label, one of `every`."""
    return features[: len(features)].T[:frames][every // 2 :: every]
