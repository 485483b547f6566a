import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from actionformer import extract
from actionformer.backbones import load_backbone, medium_at, medium_of
from actionformer.core.errors import InputError
from actionformer.datasets import hapt
from actionformer.features import read_sidecar
from actionformer.sensors.medium import SENSORS
from actionformer.video.pictures import PICTURES

RAW = Path(__file__).resolve().parents[3] / "shared" / "data" / "hapt" / "raw_50hz_acc_gyro.npz"


def test_windows_are_those_of_hapt(tmp_path: Path) -> None:
    readings = np.random.default_rng(0).normal(size=(313, 6)).astype(np.float32)
    np.save(tmp_path / "one.npy", readings)
    extract(tmp_path / "one.npy", "windows", tmp_path / "out", fps=50, last_clip="drop")
    assert np.array_equal(np.load(tmp_path / "out" / "one.npy"), hapt.windows(readings))
    spec = read_sidecar(tmp_path / "out" / "one.npy")
    assert (spec.fps, spec.stride, spec.num_frames, spec.dim) == (50.0, 25, 50, 300)
    assert (spec.backbone, spec.duration) == ("windows:1,2,3,4,5,6", 313 / 50)


def test_windows_of_real_recordings_are_those_of_hapt(tmp_path: Path) -> None:
    if not RAW.is_file():
        pytest.skip(f"{RAW} is absent")
    with np.load(RAW) as recordings:
        readings = recordings["exp01_user01"]
    np.save(tmp_path / "one.npy", readings)
    extract(tmp_path / "one.npy", "windows", tmp_path / "out", fps=50, last_clip="drop")
    assert np.array_equal(np.load(tmp_path / "out" / "one.npy"), hapt.windows(readings))


def test_columns_by_name_or_all_of_the_first_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,note,y\n1,up,2\n3,down,4\n")
    (tmp_path / "b.csv").write_text("y,x,z\n20,10,0\n40,30,0\n")
    extract(tmp_path / "*.csv", "windows", tmp_path / "all", fps=10, num_frames=2)
    assert np.load(tmp_path / "all" / "a.npy").tolist() == [[1, 3, 2, 4]]
    assert np.load(tmp_path / "all" / "b.npy").tolist() == [[10, 30, 20, 40]]
    assert read_sidecar(tmp_path / "all" / "b.npy").backbone == "windows:x,y"
    extract(tmp_path / "b.csv", "windows:z,x", tmp_path / "some", fps=10, num_frames=2)
    assert np.load(tmp_path / "some" / "b.npy").tolist() == [[0, 0, 10, 30]]
    done = extract(tmp_path / "*.csv", "windows:z", tmp_path / "odd", fps=10, num_frames=2)
    assert [reason.partition(";")[0] for reason in done.failed.values()] == ["no column 'z'"], done.failed


def test_what_is_no_backbone_of_sensors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="backbone 'windows' has no weights, but w was given"):
        load_backbone("windows", "w")
    with pytest.raises(InputError, match=r"clips must be \(B, T, C\)"):
        load_backbone("windows:x")(torch.zeros(3))
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(InputError, match=r"a\.csv: does not say how many rows come a second: give --fps"):
        extract(tmp_path / "a.csv", "windows", tmp_path / "out")


def test_which_backbones_look_at_what(tmp_path: Path) -> None:
    assert medium_of("windows:x,y") is medium_of("windows") is SENSORS
    assert medium_of("motion") is medium_of(None) is PICTURES
    assert medium_at(tmp_path / "a.CSV") is SENSORS
    assert medium_at(tmp_path / "a.mp4") is medium_at(tmp_path / "a") is PICTURES


def test_raw_clips_become_features() -> None:
    clips = np.arange(12).reshape(1, 3, 4)
    assert load_backbone("windows")(clips).tolist() == [[0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]]


def test_a_table_needs_no_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert load_backbone("windows:a,b").dim == 100
