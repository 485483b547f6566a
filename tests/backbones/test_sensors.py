import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actionformer import extract
from actionformer.backbones import load_backbone, medium_at, medium_of, with_columns
from actionformer.core.errors import InputError
from actionformer.datasets import hapt
from actionformer.features import read_sidecar
from actionformer.sensors.medium import SENSORS
from actionformer.video.pictures import PICTURES


def test_windows_are_those_of_hapt(tmp_path: Path) -> None:
    readings = np.random.default_rng(0).normal(size=(313, 6)).astype(np.float32)
    np.save(tmp_path / "one.npy", readings)
    extract(tmp_path / "one.npy", "windows", tmp_path / "out", fps=50, last_clip="drop")
    assert np.array_equal(np.load(tmp_path / "out" / "one.npy"), hapt.windows(readings))
    spec = read_sidecar(tmp_path / "out" / "one.npy")
    assert (spec.fps, spec.stride, spec.num_frames, spec.dim) == (50.0, 25, 50, 300)
    assert (spec.backbone, spec.duration) == ("windows:1,2,3,4,5,6", 313 / 50)


def test_windows_of_real_recordings_are_those_of_hapt(shared: Path, tmp_path: Path) -> None:
    with np.load(shared / "data" / "hapt" / "raw_50hz_acc_gyro.npz") as recordings:
        readings = recordings["exp01_user01"]
    np.save(tmp_path / "one.npy", readings)
    lines = [",".join(map(str, row)) for row in np.column_stack([np.arange(len(readings)) * 20, readings]).tolist()]
    (tmp_path / "two.csv").write_text("\n".join(["time_ms,ax,ay,az,gx,gy,gz", *lines]))
    for file in ("one.npy", "two.csv"):
        extract(tmp_path / file, "windows", tmp_path / "out", fps=50, last_clip="drop")
        assert np.array_equal(np.load(tmp_path / "out" / f"{file[:3]}.npy"), hapt.windows(readings))


def test_columns_by_name_or_all_of_the_first_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,note,y\n1,up,2\n3,down,4\n")
    (tmp_path / "b.csv").write_text("y,x,z\n20,10,0\n40,30,0\n")
    with pytest.warns(UserWarning, match=r"a\.csv: note left out, as the first rows hold no numbers"):
        extract(tmp_path / "*.csv", "windows", tmp_path / "all", fps=10, num_frames=2)
    assert np.load(tmp_path / "all" / "a.npy").tolist() == [[1, 3, 2, 4]]
    assert np.load(tmp_path / "all" / "b.npy").tolist() == [[10, 30, 20, 40]]
    assert read_sidecar(tmp_path / "all" / "b.npy").backbone == "windows:x,y"
    extract(tmp_path / "b.csv", "windows:z,x", tmp_path / "some", fps=10, num_frames=2)
    assert np.load(tmp_path / "some" / "b.npy").tolist() == [[0, 0, 10, 30]]
    done = extract(tmp_path / "*.csv", "windows:z", tmp_path / "odd", fps=10, num_frames=2)
    assert list(done.failed.values()) == ["no column 'z'; there are x, note, y"]
    extract(tmp_path / "b.csv", "windows", tmp_path / "named", fps=10, num_frames=2, columns=["z", "x"])
    assert read_sidecar(tmp_path / "named" / "b.npy").backbone == "windows:z,x"


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


def test_labels_and_counters_are_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,x,label\n0,1,7\n0.1,3,7\n")
    with pytest.warns(
        UserWarning, match=r"a\.csv: label left out, as named like times, labels, .*: --columns takes any"
    ):
        extract(tmp_path / "a.csv", "windows", tmp_path / "out", num_frames=2)
    assert np.load(tmp_path / "out" / "a.npy").tolist() == [[1, 3]]


def test_columns_that_look_like_labels_and_counters_are_told_once(tmp_path: Path) -> None:
    labels = np.repeat([0, 3, 0, 1, 0, 2], 60)
    table = np.column_stack([np.arange(360) / 50, np.sin(np.arange(360)), labels, np.arange(360)])
    for name in "ab":
        np.savetxt(tmp_path / f"{name}.csv", table, delimiter=",", header="time,ax,what,tick", comments="")
    said = r"a\.csv: taken for readings, .*: what \(labels\), tick \(a counter\); .*: --columns names the others"
    with pytest.warns(UserWarning, match=said) as told:
        extract(tmp_path / "*.csv", "windows", tmp_path / "out")
    assert len(told) == 1
    extract(tmp_path / "a.csv", "windows", tmp_path / "named", columns=["ax", "what"])


def test_key_points_of_deeplabcut_are_no_readings(tmp_path: Path) -> None:
    lines = ["scorer,net,net,net", "bodyparts,nose,nose,nose", "coords,x,y,likelihood", "0,1,2,0.9", "1,1,2,0.9"]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"a\.csv: holds key points of DeepLabCut: give --backbone keypoints"):
        extract(tmp_path / "a.csv", "windows", tmp_path / "out", fps=30)


def test_a_cell_that_cannot_be_read_takes_no_channel_away(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ax,az\n1,2\n3,OVR\n5,6\n")
    (tmp_path / "b.csv").write_text("ax,az\n1,2\n3,4\n5,6\n")
    done = extract(tmp_path / "*.csv", "windows", tmp_path / "out", fps=1, num_frames=2)
    assert list(done.failed.values()) == [
        "row 2, column az: 'OVR' is no number: correct it, or leave the column out (--columns names the others)"
    ]
    assert read_sidecar(tmp_path / "out" / "b.npy").backbone == "windows:ax,az"


def test_the_first_file_that_can_be_read_gives_the_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("nothing\n")
    (tmp_path / "b.csv").write_text("x\n1\n")
    done = extract([tmp_path / "a.csv", tmp_path / "b.csv"], "windows", tmp_path / "out", fps=1, num_frames=1)
    assert [path.name for path in done.failed] == ["a.csv"]
    assert [path.name for path in done.written] == ["b.npy"]
    with pytest.raises(InputError, match=r"a\.csv: no rows of readings"):
        extract(tmp_path / "a.csv", "windows", tmp_path / "out", fps=1)


def test_statistics_of_a_clip_worked_by_hand() -> None:
    clip = np.array([1, -1, 1, -1, 3, 3, 3, 3], np.float32).reshape(1, 2, 4).transpose(0, 2, 1)
    first, second = load_backbone("statistics")(clip).reshape(2, 8)
    assert first.tolist() == pytest.approx([0, 1, 1, 1, 0, 0, 0, 1]), "all power at half the rate"
    assert second.tolist() == pytest.approx([3, 0, 9, 0, 0, 0, 0, 0])
    slow = np.cos(2 * np.pi * np.arange(50) / 50).astype(np.float32).reshape(1, 50, 1)  # 1 Hz at 50 rows a second
    assert load_backbone("statistics")(slow).tolist()[0] == pytest.approx(
        [0, 0.5**0.5, 0.5, 2 / 49, 0.5**0.5, 0, 0, 0], abs=1e-6
    )
    assert load_backbone("statistics")(np.ones((1, 1, 1))).tolist() == [[1, 0, 1, 0, 0, 0, 0, 0]]


@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 99))
def test_bands_hold_all_that_deviates(moments: int, channels: int, seed: int) -> None:
    clips = np.random.default_rng(seed).standard_normal((2, moments, channels)) + seed
    found = load_backbone("statistics")(clips).reshape(2, channels, 8).double()
    assert found[..., 4:].square().sum(-1).numpy() == pytest.approx(clips.var(1), rel=1e-3, abs=1e-6)
    assert found[..., 0].numpy() == pytest.approx(clips.mean(1), rel=1e-4, abs=1e-5)
    assert found[..., 2].numpy() == pytest.approx((clips**2).mean(1), rel=1e-4)


def test_statistics_do_not_grow_with_the_clip(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).standard_normal((100, 3)))
    extract(tmp_path / "a.npy", "statistics", tmp_path / "out", fps=50, num_frames=20, stride=10)
    assert np.load(tmp_path / "out" / "a.npy").shape == (9, 24)
    assert read_sidecar(tmp_path / "out" / "a.npy").dim == 24


def test_features_never_replace_what_they_are_made_of(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((100, 3)))
    with pytest.raises(InputError, match=r"a\.npy: its features would have the same name: choose another --out"):
        extract(tmp_path, "windows", tmp_path, fps=50, overwrite=True)


def test_columns_are_for_tables(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="columns are those of tables, for windows and statistics; found backbone 'mot"
    ):
        extract(tmp_path / "a.mp4", "motion", tmp_path / "out", columns=["x"])
    assert with_columns("windows", (), "t") == "windows:@t"
    assert with_columns("windows", ["a,b", "c", '"d,e"']) == 'windows:a,b,c,"d,e"'


def test_raw_clips_become_features() -> None:
    clips = np.arange(12).reshape(1, 3, 4)
    assert load_backbone("windows")(clips).tolist() == [[0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]]


def test_a_table_needs_no_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert load_backbone("windows:a,b").dim == 100
