from pathlib import Path

import pytest

from actionformer.core.errors import InputError
from actionformer.sensors.columns import Chosen, Columns, chosen, left_out, time_of, unit_in
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
    ("name", "unit"),
    [("time_ms", "milliseconds"), ("Time (s)", "seconds"), ("timestamp[us]", "microseconds"), ("t_ns", "nanoseconds"),
     ("timestampMs", "milliseconds"), ("seconds_elapsed", "seconds"), ("time", None), ("µs", "microseconds")],
)  # fmt: skip
def test_units_in_names(name: str, unit: str | None) -> None:
    assert unit_in(name) == unit


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("time,x,y", "0,1,2", Chosen((1, 2), 0)),
        ("x,Time (s),y", "0,1,2", Chosen((0, 2), 1)),
        ("unix_timestamp,seconds_elapsed,x", "0,1,2", Chosen((2,), 0)),
        ("recorded,x", "2026-01-01T00:00:00,1", Chosen((1,), 0)),
        (",x,label,index,note", "0,1,2,3,up", Chosen((1,), None)),
        ("", "0,1,2", Chosen((0, 1, 2), None)),
    ],
)
def test_readings_are_all_numbers_but_times_labels_and_counters(
    tmp_path: Path, header: str, row: str, expected: Chosen
) -> None:
    assert choice(tmp_path, header, row) == expected


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
    assert found.note == "its column time holds neither numbers nor dates in ISO 8601, so rows are taken to come evenly"


def test_what_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,x,Label,row\n0,1,2,3\n")
    with open_text(tmp_path / "a.csv") as table:
        assert left_out(table) == ["Label", "row"]
        assert time_of(table, Columns()) == 0
