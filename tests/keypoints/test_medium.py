from pathlib import Path

import numpy as np
import pytest
from scurrying import scurrying, write_deeplabcut

from actionformer.core.errors import InputError
from actionformer.extraction.inputs import video_files
from actionformer.keypoints.medium import KEY_POINTS, own_rate, sampled


def test_a_file_comes_at_the_rate_that_is_given(tmp_path: Path) -> None:
    path = write_deeplabcut(tmp_path / "a.csv", scurrying(1.0, [], 0))
    with KEY_POINTS.open(path, 30.0) as recording:
        assert (recording.fps, recording.start, recording.declared) == (30.0, 0.0, 1.0)
        rows = list(recording.rows())
        assert (len(rows), rows[0].shape) == (30, (1, 5, 3))
        summary = recording.summary(30)
    assert (summary.duration, summary.native_fps, summary.warning) == (1.0, 30.0, None)
    with pytest.raises(InputError, match=r"a\.csv: does not say how many frames come a second: give --fps"):
        KEY_POINTS.open(path, None).__enter__()


def write_timed(path: Path, times: list[float]) -> Path:
    rows = [f"{time},{number},1,{number},9" for number, time in enumerate(times)]
    path.write_text("\n".join(["time,hip_x,hip_y,neck_x,neck_y", *rows, ""]), "utf-8")
    return path


def test_times_give_the_rate_or_are_sampled(tmp_path: Path) -> None:
    path = write_timed(tmp_path / "a.csv", [2.0, 2.1, 2.2, 2.3, 2.7, 2.8])
    with KEY_POINTS.open(path, None) as recording:
        assert recording.fps == pytest.approx(10)
        assert recording.start == 2.0
        assert recording.declared == pytest.approx(2.9)
        hips = [float(row[0, 0, 0]) for row in recording.rows()]
        assert hips[:3] == [0, 1, 2]
        assert np.isnan(hips[5])  # 2.5 is two steps from 2.3 and from 2.7
        assert hips[8] == 5
    with KEY_POINTS.open(path, 5.0) as recording:
        rows = list(recording.rows())
        assert [float(row[0, 0, 0]) for row in rows[:2]] == [0, 2]
    with KEY_POINTS.open(write_timed(path, [1.7e9, 1.7e9 + 0.5]), None) as recording:
        assert recording.start == 0.0


def test_sampling_by_hand() -> None:
    seconds = np.array([0.0, 0.1, 0.2, 0.6])
    places = np.arange(4, dtype=np.float32)[:, None, None, None] * np.ones((1, 1, 3), np.float32)
    found = sampled(places, seconds, 10.0, 10.0)[:, 0, 0, 0]
    # 0.3 is a step from 0.2, 0.4 is two from everything, 0.5 is one from 0.6
    np.testing.assert_array_equal(found[[0, 1, 2, 4, 6]], [0, 1, 2, np.nan, 3])
    assert len(found) == 7
    np.testing.assert_array_equal(sampled(places, seconds, 5.0, 10.0)[:2, 0, 0, 0], [0, 2])


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.0], "has 1 values, expected seconds that grow row by row"),
        ([0.0, 1.0, 0.5], "expected seconds that grow"),
        ([0.0, np.nan, 0.5], "expected seconds that grow"),
        ([0.0, 33.0, 66.0], "grow by 33 a row, which are no seconds: rename the column, give --fps"),
    ],
)
def test_times_that_cannot_be_meant(times: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        own_rate(np.array(times), Path("a.csv"))


def test_a_recording_is_called_as_its_video(tmp_path: Path) -> None:
    (tmp_path / "day1").mkdir()
    for name in (
        "day1/mouse_3DLC_resnet50_openfieldOct30shuffle1_100000_el.csv",
        "b.analysis.h5",
        "DLC_x.csv",
        "c.csv",
    ):
        (tmp_path / name).touch()
    names = set(video_files([tmp_path / "day1", *tmp_path.glob("*.*")], KEY_POINTS).values())
    assert names == {"mouse_3", "b", "DLC_x", "c"}
    assert set(video_files([f"{tmp_path}/**/*.csv"], KEY_POINTS).values()) == {"day1/mouse_3", "DLC_x", "c"}
