"""CalMS21, task 1: two mice in a cage, three behaviours, at 30 frames a second; 70 videos for training, 19 for test.

Papers give the average precision and F1 of frames, not mAP at tIoU. Licence: CC BY 4.0. Where to get it:
https://data.caltech.edu/records/s0vdx-0k302, in one of two layouts:

calms21_task1_train.json, calms21_task1_test.json    key points and a behaviour a frame; the 2 x 2 x 7
                                                     numbers of a frame are its features
train/*.csv, test/*.csv                              a file a video: `labelId,timestamp,endTimestamp`, without features
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.datasets.base import TEST, TRAINING, Counts, Dataset, Recording, missing
from actionformer.datasets.labelled import ANNOTATIONS, find_files, labelled_dataset, labels_of
from actionformer.features.spec import FeatureSpec
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelledSegment, LabelledVideo
from actionformer.formats.numbers import number

SPEC = FeatureSpec(fps=30, stride=1, num_frames=1)
CLASSES = ("attack", "investigation", "mount")
FILES = {"calms21_task1_train.json": TRAINING, "calms21_task1_test.json": TEST}
FOLDERS = {"train": TRAINING, "test": TEST}
COLUMNS = ("labelid", "timestamp", "endtimestamp")
PUBLISHED = Counts(3, {TRAINING: 70, TEST: 19})


def read(source: Path) -> Dataset:
    """The data set in its folder.

    Raises:
        InputError: neither layout is there, or a file is laid out in another way.
    """
    parts = [(path, subset) for name, subset in FILES.items() for path in find_files(source, name)]
    if parts:
        return _with_key_points(parts)
    tables = [(path, subset) for name, subset in FOLDERS.items() for path in find_files(source, f"{name}/*.csv")]
    if not tables:
        raise missing(source / next(iter(FILES)), "here and in the folders below; so are train/*.csv")
    return labelled_dataset([_video(*table) for table in tables], CLASSES, published=PUBLISHED)


def _with_key_points(parts: list[tuple[Path, str]]) -> Dataset:
    recordings: dict[str, Recording] = {}
    subset_of: dict[str, str] = {}
    for path, subset in parts:
        labelled = labelled_dataset(labels_of(path, "calms21").videos, CLASSES)
        sequences = {name: one for group in read_json(path).values() for name, one in group.items()}
        for name, recording in labelled.recordings.items():
            features = partial(_key_points, sequences[name], f"{path}: sequence {name}")
            id_ = name.rpartition("/")[2]
            recordings[id_] = Recording(len(sequences[name]["annotations"]) / 30, recording.actions, features)
            subset_of[id_] = subset
    return Dataset(recordings, CLASSES, {ANNOTATIONS: subset_of}, SPEC, PUBLISHED)


def _key_points(sequence: dict[str, Any], where: str) -> NDArray[np.float32]:
    """(T, 28): mouse, coordinate, part."""
    try:
        points = np.asarray(sequence["keypoints"], dtype=np.float32)
    except (KeyError, ValueError) as error:
        raise InputError(f"{where}: expected key points, (T, 2, 2, 7) numbers ({error})") from error
    return points.reshape(len(points), -1)


def _video(path: Path, subset: str) -> LabelledVideo:
    document = Document(path)
    if document.header != COLUMNS:
        raise InputError(f"{path}: expected the columns {','.join(COLUMNS)}, found {','.join(document.header):.80}")
    segments = []
    for line, cells in document.table[1:]:
        times = [time for time in map(number, cells[1:]) if time is not None]
        if len(cells) != len(COLUMNS) or len(times) != 2:
            raise InputError(f"{document.where(line)}: expected a class and two times, found {','.join(cells):.80}")
        segments.append(LabelledSegment(times[0], times[1], cells[0], document.where(line)))
    return LabelledVideo(path.stem, segments, subset=subset)
