from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scurrying import POINTS, scurrying, write_deeplabcut

from actionformer.core.errors import InputError
from actionformer.keypoints.text import LEAST, LEAST_OF_DEEPLABCUT, read_text
from actionformer.keypoints.tracks import Tracks

GONE = float("nan")


def read(path: Path, *lines: str) -> Tracks:
    path = path / "a.csv"
    path.write_text("\n".join([*lines, ""]), "utf-8")
    return read_text(path)


def test_deeplabcut_of_one_animal(tmp_path: Path) -> None:
    tracks = read(
        tmp_path,
        "scorer,net,net,net,net,net,net",
        "bodyparts,nose,nose,nose,tail,tail,tail",
        "coords,x,y,likelihood,x,y,likelihood",
        "0,1,2,0.9,3,4,0.8",
        "1,5,6,0.5,,,",
    )
    assert (tracks.animals, tracks.points, tracks.least) == (("",), ("nose", "tail"), LEAST_OF_DEEPLABCUT)
    expected = [[[[1, 2, 0.9], [3, 4, 0.8]]], [[[5, 6, 0.5], [GONE] * 3]]]
    np.testing.assert_allclose(tracks.places, np.array(expected, np.float32))
    assert tracks.seconds is None


def test_deeplabcut_of_several_animals_without_what_belongs_to_none(tmp_path: Path) -> None:
    tracks = read(
        tmp_path,
        "scorer" + 10 * ",net",
        "individuals,m1,m1,m1,m1,m2,m2,m2,m2,single,single",
        "bodyparts,nose,nose,tail,tail,nose,nose,tail,tail,corner,corner",
        "coords,x,y,x,y,x,y,x,y,x,y",
        "0,1,2,3,4,5,6,7,8,9,9",
    )
    assert (tracks.animals, tracks.points) == (("m1", "m2"), ("nose", "tail"))
    np.testing.assert_allclose(tracks.places[0, :, :, :2], [[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    assert np.isnan(tracks.places[..., 2]).all()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    bodies = np.stack([scurrying(0.2, [], seed) for seed in (0, 1)], 1)
    tracks = read_text(write_deeplabcut(tmp_path / "a.csv", bodies, ("m1", "m2")))
    assert (tracks.animals, tracks.points) == (("m1", "m2"), POINTS)
    np.testing.assert_allclose(tracks.places, bodies, atol=1e-3)


def test_columns_of_a_laboratory(tmp_path: Path) -> None:
    tracks = read(
        tmp_path,
        "time;nose_x;nose_y;Left ear X;Left ear Y;Left ear confidence;box_x;index",
        "0,0;1,5;2;3;4;0,7;1;1",
        "0,5;1,5;2;;4;0,7;1;1",
    )
    assert (tracks.points, tracks.least) == (("nose", "Left ear"), LEAST)  # a box has no y; index is no inde_x
    np.testing.assert_allclose(tracks.places[0, 0], [[1.5, 2, GONE], [3, 4, 0.7]], rtol=1e-6)
    assert np.isnan(tracks.places[1, 0, 1, 0])
    assert tracks.seconds is not None
    assert tracks.seconds.tolist() == [0.0, 0.5]


def test_names_of_animals_before_points(tmp_path: Path) -> None:
    names = [f"mouse{n}_{point}_{part}" for n in (1, 2) for point in ("nose", "tail") for part in "xy"]
    tracks = read(tmp_path, ",".join(names), "1,2,3,4,5,6,7,8")
    assert (tracks.animals, tracks.points) == (("mouse1", "mouse2"), ("nose", "tail"))
    assert tracks.places[0, 1, 0, 0] == 5
    tail = read(tmp_path, "tail_1_base_x,tail_1_base_y,nose_x,nose_y", "1,2,3,4")  # no animal has but a tail
    assert (tail.animals, tail.points) == (("",), ("tail_1_base", "nose"))


def test_sleap_with_a_row_an_animal(tmp_path: Path) -> None:
    tracks = read(
        tmp_path,
        "track,frame_idx,instance.score,head.x,head.y,head.score,tail.x,tail.y,tail.score",
        "a,1,0.9,1,2,0.8,3,4,0.7",
        "b,1,0.9,5,6,0.8,7,8,0.7",
        "a,3,0.9,9,2,0.8,3,4,0.7",
    )
    assert (tracks.animals, tracks.points) == (("a", "b"), ("head", "tail"))
    assert tracks.places.shape == (4, 2, 2, 3)
    assert np.isfinite(tracks.places[..., 0]).tolist() == [
        [[False] * 2] * 2, [[True] * 2] * 2, [[False] * 2] * 2, [[True] * 2, [False] * 2]
    ]  # fmt: skip
    np.testing.assert_allclose(tracks.places[1, 1], [[5, 6, 0.8], [7, 8, 0.7]], rtol=1e-6)


def test_frames_that_are_left_out_are_not_seen(tmp_path: Path) -> None:
    tracks = read(tmp_path, "frame,a_x,a_y,b_x,b_y", "2,1,2,3,4", "0,5,6,7,8")
    np.testing.assert_allclose(tracks.places[:, 0, 0, 0], [5, GONE, 1])


def test_frames_of_deeplabcut_that_are_left_out_are_not_seen(tmp_path: Path) -> None:
    header = "scorer,net,net", "bodyparts,nose,nose", "coords,x,y"
    tracks = read(tmp_path, *header, "1,1,2", "4,3,4")
    np.testing.assert_allclose(tracks.places[:, 0, 0, 0], [GONE, 1, GONE, GONE, 3])
    labelled = read(tmp_path, *header, "img01.png,1,2", "img05.png,3,4")  # of pictures that people labelled
    np.testing.assert_allclose(labelled.places[:, 0, 0, 0], [1, 3])


@pytest.mark.parametrize(
    ("name", "times"), [("time_ms", (1500, 1540)), ("Time (min)", (0.025, 0.0256666667)), ("t_us", (1500000, 1540000))]
)
def test_a_clock_may_count_in_another_unit(tmp_path: Path, name: str, times: tuple[float, float]) -> None:
    tracks = read(tmp_path, f"{name},a_x,a_y", f"{times[0]},1,2", f"{times[1]},3,4")
    assert tracks.seconds is not None
    np.testing.assert_allclose(tracks.seconds, [1.5, 1.54], atol=1e-6)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,b", "1,2"], r"a\.csv: no columns of key points among a, b: expected the CSV of DeepLabCut or SLEAP, or"),
        (["nose_x,nose_y"], r"no rows"),
        (["nose_x,nose_y", "1,2", "1,2,3"], r"row 2 has 3 cells, expected the 2 of the header"),
        (["nose_x,nose_y", "1,2", "1,left"], r"in rows 1 to 2: .*left"),
        (["frame,a_x,a_y", "0.5,1,2"], r"its column of frames holds something else than whole numbers from 0 on"),
        (["frame,a_x,a_y", "1,1,2", "1,3,4"], r"two of its rows are of the same frame$"),
        (["frame,track,a_x,a_y", "1,m,1,2", "1,m,3,4"], r"two of its rows are of the same frame and animal"),
        (["track,a_x,a_y", "m,1,2", "n,1,2"], r"column 'track' says .* no column says .* add a column named frame"),
        (["frame,a_x,a_y", "1e9,1,2"], r"1 rows, and frame 1,000,000,000 among them"),
        (["scorer,a,a", "bodyparts,b,b", "kind,x,y", "0,1,2"], r"has lines scorer, individuals, .*, found 'kind'"),
        (["scorer,a,a", "coords,x,y", "0,1,2"], r"without a line of bodyparts"),
        ([""], r"no columns of key points among nothing"),
        (["time,id,a_x,a_y", "0,1,1,2", "0,2,3,4", "1,1,5,6"], "'id' says that rows are of several animals"),
        (["a_x,a_y,a_confidence", "1,2,90"], "confidences of up to 90, expected 0 to 1: divide them, percent by 100"),
        (["time,a_x,a_y", "ms,px,px", "0,1,2"], "correct it, or delete a line that is no frame, such as units"),
    ],
)
def test_what_is_no_file_of_key_points_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, *lines)


@pytest.mark.parametrize("nowhere", ["0,0", "-1,-1"])
def test_points_that_programs_have_not_found_are_not_seen(tmp_path: Path, nowhere: str) -> None:
    tracks = read(tmp_path, "frame,a_x,a_y,b_x,b_y", f"0,1,2,{nowhere}", f"1,{nowhere},{nowhere}", f"3,0,5,{nowhere}")
    x = tracks.places[:, 0, :, 0]
    np.testing.assert_array_equal(np.isnan(x[:, 0]), [False, True, True, False])
    np.testing.assert_array_equal(np.isnan(x[:, 1]), [False, False, True, False])  # where it always lies is meant


@pytest.mark.parametrize("part", ["visibility", "C", "vis"])
def test_what_else_confidences_are_called(tmp_path: Path, part: str) -> None:
    assert read(tmp_path, f"a_X,a_Y,a_{part}", "1,2,0.25").places[0, 0, 0].tolist() == [1, 2, 0.25]


def test_a_column_of_ids_may_number_rows(tmp_path: Path) -> None:
    tracks = read(tmp_path, "id,time,a_x,a_y", "1,0.0,1,2", "2,0.5,3,4")
    assert tracks.seconds is not None
    assert tracks.seconds.tolist() == [0, 0.5]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.csv: cannot be read \(No such file"):
        read_text(tmp_path / "a.csv")


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 600), st.text("\n,;x_\"'0. \t", min_size=1, max_size=3))
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, place: int, change: str) -> None:
    path = write_deeplabcut(tmp_path / "a.csv", scurrying(0.1, [], 0))
    text = path.read_text("utf-8")
    path.write_text(text[:place] + change + text[place + len(change) :], "utf-8")
    with suppress(InputError):
        assert read_text(path).places.ndim == 4
