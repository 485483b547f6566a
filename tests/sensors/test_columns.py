from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.sensors.columns import Chosen, Columns, chosen, left_out, time_of, unlikely
from actionformer.sensors.text import open_text


def choice(tmp_path: Path, header: str, row: str, wanted: str = "") -> Chosen:
    (tmp_path / "a.csv").write_text(f"{header}\n{row}\n" if header else f"{row}\n")
    with open_text(tmp_path / "a.csv") as table:
        return chosen(table, Columns.parsed(wanted))


@pytest.mark.parametrize("text", ["", "a", "a,b", "a,b@t", "@t", '"a,b",c@t', "acc.x (m/s²),gyro:y"])
def test_columns_are_written_as_they_are_read(text: str) -> None:
    assert str(Columns.parsed(text)) == text
    assert Columns.parsed(" a , b @ t ") == Columns(("a", "b"), "t")


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("time,x,y", "0,1,2", Chosen((1, 2), 0)),
        ("x,Time (s),y", "0,1,2", Chosen((0, 2), 1)),
        ("unix_timestamp,seconds_elapsed,x", "0,1,2", Chosen((2,), 0)),
        ("time (min),x", "0,1", Chosen((1,), 0)),
        ("h,min,max", "0,1,2", Chosen((0, 1, 2), None)),
        ("recorded,x", "2026-01-01T00:00:00,1", Chosen((1,), 0)),
        ("timestamp (100ns),x", "0,1", Chosen((1,), 0)),
        ("timestamp [µs],x", "0,1", Chosen((1,), 0)),
        ("X[s],EMG 1 [V]", "0,1", Chosen((1,), 0)),
        ("Frame,Sub Frame,x", "1,0,2", Chosen((2,), None)),
        ("Time,header.stamp.secs,header.stamp.nsecs,x", "0,1,2,3", Chosen((3,), 0)),
        ("rosbagTimestamp,secs,nsecs,x", "0,1,2,3", Chosen((3,), 0)),
        ("Shimmer_6749_Timestamp_Unix_CAL,x", "0,1", Chosen((1,), 0)),
        ("recorded,accTimestamp_sinceReboot(s),x", "2026-01-01T00:00:00,1,2", Chosen((2,), 0)),
        ("PacketCounter,SampleTimeFine,x", "0,1,2", Chosen((2,), 1)),
        (",x,label,index,note", "0,1,2,3,up", Chosen((1,), None)),
        ("", "0,1,2", Chosen((0, 1, 2), None)),
    ],
)
def test_readings_are_all_numbers_but_times_labels_and_counters(
    tmp_path: Path, header: str, row: str, expected: Chosen
) -> None:
    assert choice(tmp_path, header, row) == expected


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("secs,nsecs,x,y", "secs, nsecs are whole seconds and the rest of them: add them up in one column"),
        ("X[s],a,X[s],b", r"X\[s\]_1, X\[s\]_2 are clocks: if each is of the columns beside it"),
        ("Time,a,Time,b", "Time_1, Time_2 are clocks"),
    ],
)
def test_clocks_that_are_not_one_are_refused(tmp_path: Path, header: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        choice(tmp_path, header, "0,1,2,3")


@pytest.mark.parametrize(("header", "names"), [("time,x", 2), ("time,x (0=low,1=mid,2=high)", 4)])
def test_names_that_do_not_fit_are_said(tmp_path: Path, header: str, names: int) -> None:
    told = f"has {names} names above rows of 3 cells, so that no column has its name"
    assert choice(tmp_path, header, "1,0,2.5").note == told
    assert choice(tmp_path, "Logger", "1,0,2.5").note is None


def test_parts_of_a_time_are_no_readings_and_no_clock(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hour, minute, second are parts of a time: join them in one column"):
        choice(tmp_path, "hour,minute,second,x", "10,59,58.5,0.25")
    assert choice(tmp_path, "hour,minute,second,x", "10,59,58.5,0.25", "x@second") == Chosen((3,), 2)
    assert choice(tmp_path, "time,hour,minute,x", "37.5,10,59,0.25") == Chosen((1, 2, 3), 0)


def test_named_columns_are_taken_in_their_order(tmp_path: Path) -> None:
    header, row = "time,x,y,label", "0,1,2,3"
    assert choice(tmp_path, header, row, "y,x") == Chosen((2, 1), 0)
    assert choice(tmp_path, header, row, "label,time@y") == Chosen((3, 0), 2)
    assert choice(tmp_path, "", row, "2,3@1") == Chosen((1, 2), 0)
    with pytest.raises(InputError, match=r"a\.csv: no column 'Y', did you mean 'y'\?"):
        choice(tmp_path, header, row, "Y")
    with pytest.raises(InputError, match=r"a\.csv: no column 'gyro_x'; there are time, x, y, label"):
        choice(tmp_path, header, row, "gyro_x")
    with pytest.raises(InputError, match=r"a\.csv: no column of readings among time, note: name them"):
        choice(tmp_path, "time,note", "1,up")


def test_columns_without_names_are_taken_in_order_where_their_number_fits(tmp_path: Path) -> None:
    found = choice(tmp_path, "", "1,2", "x,y")
    assert found.channels == (0, 1)
    assert found.note == "has no names of columns, so they are taken for x, y, in this order"
    with pytest.raises(InputError, match=r"a\.csv: has 2 columns of numbers without names, expected x, y, z"):
        choice(tmp_path, "", "1,2", "x,y,z")


def test_a_clock_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    found = choice(tmp_path, "time,x", "half past two,1")
    assert found.time is None
    assert found.note
    assert found.note.endswith("neither numbers nor dates such as 2026-01-31 10:00:00.5: rows are taken to come evenly")


def test_what_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,x,Label,row,unix,note,slow,,when\n0,1,2,3,4,up,,7,2026-01-01\n")
    with open_text(tmp_path / "a.csv") as table:
        assert time_of(table, Columns()) == 0
        assert left_out(table, chosen(table, Columns())) == [
            "Label, row, unix left out, as named like times, labels, persons or counters: --columns takes any",
            "note, slow left out, as the first rows hold no numbers",
        ]


@pytest.mark.parametrize(
    "name",
    ["activityID", "activity_id", "ActivityLabel", "activityid", "class_id", "behavior", "state", "event",
     "ground_truth", "gt", "y", "subject", "subject_id", "user", "trial", "fold", "id", "frame_number", "sample_no",
     "unix", "label_2", "Frame time"],
)  # fmt: skip
def test_names_of_labels_persons_and_counters(tmp_path: Path, name: str) -> None:
    assert choice(tmp_path, f"ax,{name},ay", "1,2,3").channels == (0, 2)


@pytest.mark.parametrize(
    "name", ["door_state", "userAcceleration.x", "state_of_charge", "target_speed", "humid", "acc_y", "class_prob"]
)
def test_names_of_readings_with_words_of_labels(tmp_path: Path, name: str) -> None:
    assert choice(tmp_path, f"ax,{name},ay", "1,2,3").channels == (0, 1, 2)


def test_y_is_an_axis_beside_x_or_alone(tmp_path: Path) -> None:
    assert choice(tmp_path, "X,Y,Z", "1,2,3").channels == (0, 1, 2)
    assert choice(tmp_path, "time,y", "1,2").channels == (1,)


def test_columns_of_one_name_are_several(tmp_path: Path) -> None:
    assert choice(tmp_path, "time,acc,gyro,acc", "0,1,2,3", "acc_2,acc_1") == Chosen((3, 1), 0)
    with pytest.raises(InputError, match=r"a\.csv: several columns are called 'acc_1': give each a name of its own"):
        choice(tmp_path, "acc,acc,acc_1", "0,1,2", "acc_1")


LABELS = [0, 3, 0, 1, 0, 3, 0, 2, 0, 1]
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (np.repeat(LABELS, 60), "labels"),
        (np.repeat([1, 4, 2, 5, 3, 1], 200), "labels"),
        (np.repeat(LABELS, 60).astype(float) + np.where(np.arange(600) % 97, 0, np.nan), "labels"),
        (np.arange(5, 205), "a counter"),
        (1.7e9 + np.arange(300) * 0.02, "a counter"),
        (np.arange(600) % 256, "a counter"),
        (np.repeat(LABELS, 5), None),  # 50 rows are too few to tell
        (np.arange(20), None),
    ],
)
def test_labels_and_counters_of_any_name(readings: NDArray[np.float64], expected: str | None) -> None:
    assert unlikely(readings) == expected


@pytest.mark.parametrize(
    "readings",
    [
        np.repeat([0, 1, 0, 1, 0, 1], 100),  # a door
        np.full(1000, 9.81),
        np.full(1000, 1.0),
        np.round(RANDOM.normal(0, 300, 1000)),  # 16 bits
        np.round(RANDOM.normal(0, 0.4, 1000)),  # of a sensor at rest: -1, 0, 1
        np.round(np.sin(np.arange(1000) / 40) * 4),
        np.repeat([0, 1, 2, 3, 2, 1, 0, 1, 2], 150),  # degrees
        np.repeat([61, 63, 66, 64, 68, 61, 65], 50),  # heart beats a minute
        np.cumsum(RANDOM.integers(0, 2, 1000)),  # steps of a walk
        np.repeat(np.arange(100, 90, -1), 100),  # a battery
        np.sin(np.arange(1000) / 50),
        np.full(1000, np.nan),
    ],
)
def test_readings_are_no_labels(readings: NDArray[np.float64]) -> None:
    assert unlikely(readings) is None
