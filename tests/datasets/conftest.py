"""Published layouts in small, made by hand."""

from pathlib import Path

import numpy as np
import pytest


def write(path: Path, *lines: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


@pytest.fixture
def hapt_folder(tmp_path: Path) -> Path:
    """Two recordings of 100 and 124 samples, whose users 1 and 2 are for training and test."""
    source = tmp_path / "HAPT Data Set"
    write(source / "activity_labels.txt", "1 WALKING           ", "2 STAND_TO_SIT")
    write(source / "Train" / "subject_id_train.txt", 1, 1, 1)
    write(source / "Test" / "subject_id_test.txt", 2, 2)
    for name, length, first in (("exp01_user01", 100, 0), ("exp02_user02", 124, 1000)):
        samples = first + np.arange(length * 3).reshape(length, 3)
        write(source / "RawData" / f"acc_{name}.txt", *(f"{a}.25 {b} {c:.1e}" for a, b, c in samples))
        write(source / "RawData" / f"gyro_{name}.txt", *(f"{-a} {-b} {-c}" for a, b, c in samples))
    write(source / "RawData" / "labels.txt", "1 1 1 26 50", "1 1 2 51 100", "2 2 2 1 124")
    return source


@pytest.fixture
def framewise_folder(tmp_path: Path) -> Path:
    """Two videos of 20 and 25 frames with three channels, in two splits; feature i of channel c is 100 c + i."""
    source = tmp_path / "50salads"
    write(source / "mapping.txt", "0 cut", "1 add", "2 action_start", "3 action_end", "4 background")
    write(source / "groundTruth" / "a.txt", *["action_start"] * 2, *["cut"] * 4, *["add"] * 14)
    write(source / "groundTruth" / "b.txt", *["cut"] * 10, *["background"] * 5, *["cut"] * 5, *["action_end"] * 5)
    for name, length in (("a", 20), ("b", 26)):
        (source / "features").mkdir(exist_ok=True)
        array = 100 * np.arange(3)[:, None] + np.arange(length)
        np.save(source / "features" / f"{name}.npy", array.astype(np.float32))
    for split, train, test in ((1, "a", "b"), (2, "b", "a")):
        write(source / "splits" / f"train.split{split}.bundle", f"{train}.txt")
        write(source / "splits" / f"test.split{split}.bundle", f"{test}.txt")
    return source
