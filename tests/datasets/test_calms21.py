"""CalMS21 with key points, and as tables."""

import json
from pathlib import Path

import numpy as np
import pytest

from actionformer import InputError, read_annotations
from actionformer.datasets.calms21 import read


def test_key_points_are_the_features(tmp_path: Path) -> None:
    points = np.arange(3 * 28).reshape(3, 2, 2, 7)
    sequence = {"keypoints": points.tolist(), "annotations": [3, 0, 0], "metadata": {}}
    for part in ("train", "test"):
        content = {"annotator-id_0": {f"task1/{part}/{part}01": sequence}}
        (tmp_path / f"calms21_task1_{part}.json").write_text(json.dumps(content))
    dataset = read(tmp_path)
    assert dataset.splits["annotations.json"] == {"train01": "training", "test01": "test"}
    (path,) = dataset.write(tmp_path / "out")
    video = read_annotations(path).videos["train01"]
    np.testing.assert_allclose(video.segments, [[1 / 30, 3 / 30]])
    assert video.duration == pytest.approx(0.1)
    assert video.fps == 30
    np.testing.assert_array_equal(np.load(tmp_path / "out/features/train01.npy"), points.reshape(3, 28))


def test_tables_are_whole(shared: Path) -> None:
    dataset = read(shared / "data/annotations/calms21")
    assert dataset.differences() == []
    first = dataset.recordings["mouse081_task1_annotator1"].actions[0]
    assert (first.start, first.end, first.label) == (2.433, 3.067, "investigation")
    assert dataset.splits["annotations.json"]["mouse081_task1_annotator1"] == "test"


def test_neither_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"calms21_task1_train\.json: missing"):
        read(tmp_path)
    (tmp_path / "train").mkdir()
    (tmp_path / "train/a.csv").write_text("label,start\nx,1\n")
    with pytest.raises(InputError, match="expected the columns labelid,timestamp,endtimestamp"):
        read(tmp_path)


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "calms21_task1_train.json").write_text("[]")
    with pytest.raises(InputError, match=r"calms21_task1_train\.json: expected the layout of calms21 files"):
        read(tmp_path)
    (tmp_path / "calms21_task1_train.json").unlink()
    (tmp_path / "train").mkdir()
    (tmp_path / "train/a.csv").write_text("labelId,timestamp,endTimestamp\nattack,1\n")
    with pytest.raises(InputError, match=r"a\.csv: line 2: expected a class and two times, found attack,1"):
        read(tmp_path)
