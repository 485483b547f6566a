"""HAPT 2.1: people with a smartphone at the waist do 12 activities and postural transitions; 61 recordings at 50 Hz.

Papers give the accuracy or the error of classified windows (Reyes-Ortiz et al., Neurocomputing 2016), not mean average
precision. Licence: CC BY 4.0. Where to get it: https://archive.ics.uci.edu/dataset/341, "Smartphone-Based Recognition
of Human Activities and Postural Transitions"; the unpacked folder is read:

    RawData/acc_exp01_user01.txt    three accelerations per line, in g
    RawData/gyro_exp01_user01.txt   three angular velocities a line, in rad/s
    RawData/labels.txt              experiment, user, activity, first sample, last sample; samples count from 1
    activity_labels.txt             number and name of an activity
    Train/subject_id_train.txt      the user of every window of the authors'; likewise Test/subject_id_test.txt
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from actionformer.core.annotations import NamedAction
from actionformer.core.errors import InputError
from actionformer.core.files import read_text
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
from actionformer.features.spec import FeatureSpec

RATE, STRIDE, WINDOW = 50, 25, 50  # samples a second, between windows, of a window
SPEC = FeatureSpec(fps=RATE, stride=STRIDE, num_frames=WINDOW)
PUBLISHED = Counts(classes=12, videos={TRAINING: 42, TEST: 19})
FILE = re.compile(r"acc_(exp\d+_user(\d+))\.txt")
CELLS = re.compile(r"\d{1,9}(\s+\d{1,9}){4}")
ROW = "five whole numbers per line: experiment, user, activity, first and last sample"


def windows(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features of samples (N, 6): windows of 50 every 25, flattened axis by axis to (T, 300)."""
    cut = sliding_window_view(samples, WINDOW, axis=0)[::STRIDE]  # (T, 6, 50)
    return cut.reshape(len(cut), -1)


def read(source: Path) -> Dataset:
    """The data set in its unpacked folder.

    Raises:
        InputError: a file is missing or laid out in another way; it is named with what was expected.
    """
    source = folder_of(source, "activity_labels.txt")
    names = read_names(source / "activity_labels.txt", "1 WALKING")
    subsets = _subsets(source)
    samples = {id_: _samples(source / "RawData", id_) for id_ in subsets}
    actions = _actions(source / "RawData" / "labels.txt", names, {id_: len(one) for id_, one in samples.items()})
    recordings = {id_: Recording(len(one) / RATE, actions[id_], partial(windows, one)) for id_, one in samples.items()}
    return Dataset(recordings, tuple(names.values()), {"annotations.json": subsets}, SPEC, PUBLISHED)


def _subsets(source: Path) -> dict[str, str]:
    """The subset of every recording, which is that of its user."""
    users = {
        int(user): subset
        for subset, file in ((TRAINING, "Train/subject_id_train.txt"), (TEST, "Test/subject_id_test.txt"))
        for user in _numbers(source / file, "one user number per line", 1)[:, 0]
    }
    raw = source / "RawData"
    found = [match for path in sorted(raw.glob("acc_*.txt")) if (match := FILE.fullmatch(path.name))]
    if not found:
        raise missing(raw / "acc_exp01_user01.txt", "expected three accelerations per line")
    for match in found:
        if int(match[2]) not in users:
            raise InputError(f"{raw / match[0]}: user {int(match[2])} is in none of Train/subject_id_train.txt and "
                             "Test/subject_id_test.txt")  # fmt: skip
    return {match[1]: users[int(match[2])] for match in found}


def _samples(raw: Path, id_: str) -> NDArray[np.float32]:
    """(N, 6) accelerations and angular velocities."""
    accelerations, velocities = (_sensor(raw / f"{sensor}_{id_}.txt") for sensor in ("acc", "gyro"))
    if len(accelerations) != len(velocities):
        counts = f"{len(velocities)} samples, expected the {len(accelerations)} of acc_{id_}.txt"
        raise InputError(f"{raw / f'gyro_{id_}.txt'}: {counts}")
    if len(accelerations) < WINDOW:
        raise InputError(f"{raw / f'acc_{id_}.txt'}: {len(accelerations)} samples, a window takes {WINDOW}")
    return np.concatenate([accelerations, velocities], axis=1)


def _sensor(path: Path) -> NDArray[np.float32]:
    return _numbers(path, "three numbers per line, one for each axis", 3).astype(np.float32)


def _numbers(path: Path, expected: str, columns: int) -> NDArray[np.float64]:
    """(N, columns) numbers of a text file."""
    if not path.is_file():
        raise missing(path, f"expected {expected}")
    try:
        numbers = np.loadtxt(read_text(path).splitlines(), ndmin=2)
    except ValueError as error:
        raise InputError(f"{path}: expected {expected} ({error})") from error
    if numbers.shape[1] != columns or not np.isfinite(numbers).all():
        raise InputError(
            f"{path}: expected {expected}, found {numbers.shape[1]} columns, or something that is no number"
        )
    return numbers


def _actions(path: Path, names: dict[int, str], lengths: dict[str, int]) -> dict[str, list[NamedAction]]:
    """The actions of every recording, by its id; lengths are in samples."""
    actions: dict[str, list[NamedAction]] = {id_: [] for id_ in lengths}
    for line in read_lines(path, ROW):
        if not CELLS.fullmatch(line):
            raise InputError(f"{path}: expected {ROW}, found {line!r:.60}")
        experiment, user, activity, first, last = map(int, line.split())
        id_ = f"exp{experiment:02d}_user{user:02d}"
        if id_ not in actions:
            raise missing(path.parent / f"acc_{id_}.txt", "labels.txt has its activities")
        if activity not in names or not 1 <= first <= last <= lengths[id_]:
            raise InputError(f"{path}: line {line!r:.60}: expected an activity of activity_labels.txt, and samples "
                             f"from 1 to {lengths[id_]}")  # fmt: skip
        actions[id_].append(NamedAction((first - 1) / RATE, last / RATE, names[activity], None, str(path)))
    return actions
