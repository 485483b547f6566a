"""HAPT from its published layout."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actionformer import InputError, read_annotations
from actionformer.datasets import hapt


def test_windows_lie_axis_after_axis() -> None:
    samples = np.arange(6 * 101, dtype=np.float32).reshape(101, 6)
    found = hapt.windows(samples)
    assert found.shape == (3, 300)
    np.testing.assert_array_equal(found[1], samples[25:75].T.ravel())


def test_annotations_and_features(hapt_folder: Path, tmp_path: Path) -> None:
    (written,) = hapt.read(hapt_folder).write(tmp_path / "out")
    assert written == tmp_path / "out" / "annotations.json"
    found = read_annotations(written)
    assert found.class_names == ("WALKING", "STAND_TO_SIT")
    first, second = found.videos.values()
    assert (first.id, first.subset, first.duration, first.fps) == ("exp01_user01", "training", 2.0, 50)
    assert first.segments.tolist() == [[0.5, 1.0], [1.0, 2.0]]  # samples 26 to 50, counted from 1
    assert first.labels.tolist() == [0, 1]
    assert (second.id, second.subset, second.segments.tolist()) == ("exp02_user02", "test", [[0.0, 2.48]])
    features = np.load(tmp_path / "out" / "features" / "exp01_user01.npy")
    assert features.shape == (3, 300)
    assert features.dtype == np.float32
    assert features[0, :2].tolist() == [0.25, 3.25]  # the first axis of the accelerometer
    assert features[1, 150:152].tolist() == [-75, -78]  # of the gyroscope, from sample 25 on
    sidecar = json.loads((tmp_path / "out" / "features" / "exp01_user01.json").read_text())
    assert sidecar == {"fps": 50, "stride": 25, "num_frames": 50}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("activity_labels.txt", "one number and one class per line, such as '1 WALKING'"),
        ("Train/subject_id_train.txt", "one user number per line"),
        ("Test/subject_id_test.txt", "one user number per line"),
        ("RawData/labels.txt", "five whole numbers per line"),
        ("RawData/gyro_exp02_user02.txt", "three numbers per line"),
        ("RawData/acc_exp02_user02.txt", "labels.txt has its activities"),
    ],
)
def test_a_missing_file_is_named(hapt_folder: Path, file: str, expected: str) -> None:
    (hapt_folder / file).unlink()
    with pytest.raises(InputError) as error:
        hapt.read(hapt_folder)
    assert str(error.value).startswith(f"{hapt_folder / file}: missing, ")
    assert expected in str(error.value)


def test_a_folder_without_recordings(hapt_folder: Path) -> None:
    for path in (hapt_folder / "RawData").glob("acc_*"):
        path.unlink()
    with pytest.raises(InputError, match=r"acc_exp01_user01\.txt: missing, expected three accelerations per line"):
        hapt.read(hapt_folder)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("activity_labels.txt", lambda text: "WALKING\n", "such as '1 WALKING', found 'WALKING'"),
        ("Test/subject_id_test.txt", lambda text: "3\n", "user 2 is in none of Train"),
        ("RawData/labels.txt", lambda text: text + "1 1 1 5\n", "five whole numbers per line.* found '1 1 1 5'"),
        ("RawData/labels.txt", lambda text: text + "1 1 7 1 5\n", "expected an activity of activity_labels.txt"),
        ("RawData/labels.txt", lambda text: text + "1 1 1 0 5\n", "samples from 1 to 100"),
        ("RawData/labels.txt", lambda text: text + "1 1 1 5 101\n", "samples from 1 to 100"),
        ("RawData/labels.txt", lambda text: text + f"1 1 1 5 {'9' * 5000}\n", "expected five whole numbers"),
        ("RawData/acc_exp01_user01.txt", lambda text: text + "1 2\n", "expected three numbers per line"),
        ("RawData/acc_exp01_user01.txt", lambda text: text + "1 2 x\n", "expected three numbers per line"),
        ("RawData/acc_exp01_user01.txt", lambda text: text + "1 2 nan\n", "something that is no number"),
        ("RawData/gyro_exp01_user01.txt", lambda text: text + "1 2 3\n", "101 samples, expected the 100 of acc"),
        ("RawData/gyro_exp01_user01.txt", lambda text: "", "the file is empty"),
    ],
)
def test_another_layout_is_told_in_one_line(
    hapt_folder: Path, file: str, change: Callable[[str], str], message: str
) -> None:
    path = hapt_folder / file
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(InputError, match=message) as error:
        hapt.read(hapt_folder)
    assert "\n" not in str(error.value)


def test_the_real_recordings_give_the_reference_annotations(shared: Path, tmp_path: Path) -> None:
    """Of one recording, whose layout is made from the compact arrays."""
    reference = json.loads((shared / "data/hapt/annotations.json").read_text("utf-8"))["database"]["exp01_user01"]
    names = sorted({action["label"] for action in reference["annotations"]})
    raw = tmp_path / "RawData"
    raw.mkdir()
    with np.load(shared / "data/hapt/raw_50hz_acc_gyro.npz") as recordings:
        samples = recordings["exp01_user01"]
    np.savetxt(raw / "acc_exp01_user01.txt", samples[:, :3], fmt="%.9g")
    np.savetxt(raw / "gyro_exp01_user01.txt", samples[:, 3:], fmt="%.9g")
    rows = [
        f"1 1 {names.index(action['label'])} {round(50 * action['segment'][0]) + 1} {round(50 * action['segment'][1])}"
        for action in reference["annotations"]
    ]
    (raw / "labels.txt").write_text("\n".join(rows))
    (tmp_path / "activity_labels.txt").write_text("\n".join(f"{i} {name}" for i, name in enumerate(names)))
    for folder, user in (("Train/subject_id_train.txt", 1), ("Test/subject_id_test.txt", 2)):
        (tmp_path / folder).parent.mkdir()
        (tmp_path / folder).write_text(f"{user}\n")
    dataset = hapt.read(tmp_path)
    found = dataset.recordings["exp01_user01"]
    assert found.duration == reference["duration"]
    assert [[action.start, action.end] for action in found.actions] == [a["segment"] for a in reference["annotations"]]
    assert found.features is not None
    np.testing.assert_array_equal(found.features(), hapt.windows(samples))
