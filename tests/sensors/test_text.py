import re
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.errors import InputError
from actionformer.sensors.cells import dialect_of, number
from actionformer.sensors.table import PIECE, Table
from actionformer.sensors.text import open_text


def read(path: Path, text: str | bytes, *columns: int) -> tuple[tuple[str, ...], list[list[float]]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with open_text(path) as table:
        pieces = list(table.read(columns or range(len(table.names))))
    return table.names, np.concatenate(pieces).tolist()


def open_text_of(folder: Path, text: str) -> AbstractContextManager[Table]:
    (folder / "a.csv").write_text(text, "utf-8")
    return open_text(folder / "a.csv")


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n1.5,2\n-3,4e1\n",
        "x;y\n1,5;2\n-3;4e1\n",
        "x\ty\r\n1.5\t2\r\n-3\t4e1\r\n",
        "x\ty\n1,5\t2\n-3\t4e1",
        '"x";"y"\n"1,5";"2"\n\n"-3";"4e1"\n',
        "x y\n  1.5   2\n -3 4e1\n",
        "x|y\n1.5|2\n-3|4e1\n",
        "x,y\nm/s2,V\n1.5,2\n-3,4e1\n",
        "Logger of Ann\nBegan at noon\nx,y\n1.5,2\n-3,4e1\n",
        "# made by a logger\nx, y\n1.5, 2\n-3, 4e1\n",
        'x,y\n"1,5","2"\n"-3","4e1"\n',
        "x y\n1,5 2\n-3 4e1\n",
        "Device: X 200\nSerial;12345\nBegan;2026-01-02 10:00:00\n\nx;y\nV;V\n1,5;2\n-3;4e1\n",
        "Device,X 200\nSerial,12345\nx,y\n1.5,2\n-3,4e1\n",
        "x,y,\n1.5,2\n-3,4e1\n",
    ],
)
def test_delimiters_decimal_commas_and_quotes_are_told_from_the_file(tmp_path: Path, text: str) -> None:
    expected = ("x", "y"), [[1.5, 2.0], [-3.0, 40.0]]
    assert read(tmp_path / "a.csv", text) == expected
    assert read(tmp_path / "a.csv", b"\xef\xbb\xbf" + text.encode()) == expected
    assert read(tmp_path / "a.csv", text.encode("utf-16")) == expected


def test_blanks_in_what_stands_above_cut_no_columns(tmp_path: Path) -> None:
    text = "// Start Time: unknown\n// Firmware Version: 4.0.2\na\tb\tc\td\n" + "1\t2\t3\t4\n" * 5
    assert read(tmp_path / "a.txt", text) == (("a", "b", "c", "d"), [[1.0, 2.0, 3.0, 4.0]] * 5)


def test_a_delimiter_at_the_end_of_rows_is_a_column_without_a_name(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "t,x\n0,1,\n1,2,\n", 0, 1) == (("t", "x", ""), [[0, 1], [1, 2]])


def test_a_decimal_comma_may_come_late(tmp_path: Path) -> None:
    text = "x;y\n" + "1;2\n" * 200 + "1;2,5\n"
    assert read(tmp_path / "a.csv", text)[1][-1] == [1.0, 2.5]
    with pytest.raises(InputError, match=r"row 202, column y: '2,5' is no number"):
        read(tmp_path / "a.csv", text.replace("x;y\n", "x;y\n0.5;2\n"))


def test_commas_in_quotes_may_part_thousands(tmp_path: Path) -> None:
    with open_text_of(tmp_path, 'x,y\n1.5,"1,013"\n2,"1,014"\n') as table:
        assert table.numeric == (True, False)


def test_units_stand_below_names(tmp_path: Path) -> None:
    with open_text_of(tmp_path, "Time,ax\n(ms),(g)\n0,1\n20,2\n") as table:
        assert (table.names, table.units) == (("Time", "ax"), ("(ms)", "(g)"))
    with open_text_of(tmp_path, "Unix_CAL,Accel_X\nms,m/(s^2)\n0,1\n20,2\n") as table:
        assert (table.names, table.units) == (("Unix_CAL", "Accel_X"), ("ms", "m/(s^2)"))
    with open_text_of(tmp_path, "Logger,Ann\nTime,ax\n0,1\n20,2\n") as table:
        assert (table.names, table.units) == (("Time", "ax"), ())


def test_columns_without_names_are_numbered(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "1,2\n3,4\n", 1) == (("1", "2"), [[2.0], [4.0]])
    assert read(tmp_path / "a.csv", "7\n8\n") == (("1",), [[7.0], [8.0]])


EMPATICA = "1505850000.000000, 1505850000.000000\n32.000000, 32.000000\n"


def test_empatica_writes_the_beginning_and_the_rate_above_the_readings(tmp_path: Path) -> None:
    assert read(tmp_path / "ACC.csv", EMPATICA + "-1,2\n3,4\n") == (("1", "2"), [[-1.0, 2.0], [3.0, 4.0]])
    assert read(tmp_path / "HR.csv", "1505850010.00\n1.000000\n60.5\n") == (("1",), [[60.5]])
    with open_text(tmp_path / "HR.csv") as table:
        assert table.rate == 1.0
    with open_text_of(tmp_path, EMPATICA) as table:  # two rows are two readings
        assert table.rate is None


@pytest.mark.parametrize(
    "text",
    ["a,b\n" + EMPATICA + "1,2\n", EMPATICA.replace("32.000000\n", "8\n") + "1,2\n", "1505850000\n1\n1505850001\n",
     "1505850000, IBI\n0.5,0.5\n1.0,0.5\n"],
)  # fmt: skip
def test_what_is_not_written_as_empatica_does_has_no_rate(tmp_path: Path, text: str) -> None:
    with open_text_of(tmp_path, text) as table:
        assert table.rate is None


@pytest.mark.parametrize("times", ["{}", "{} , walk", "walk, {}"])
def test_rows_without_names_may_begin_with_dates_or_words(tmp_path: Path, times: str) -> None:
    text = "".join(f"{times.format(f'2026-01-02 10:00:0{row}')},{row}.5,2\n" for row in range(4))
    names, rows = read(tmp_path / "a.csv", text, times.count(",") + 1)
    assert (names, rows) == (tuple(map(str, range(1, len(names) + 1))), [[0.5], [1.5], [2.5], [3.5]])


def alternating(names: str, row: str, keys: list[str]) -> str:
    return names + "".join(row.format(key=key, time=place // 3) for place, key in enumerate(3 * keys))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (alternating("time,axis,value\n", "{time},{key},0.5\n", ["x", "y", "z"]), "axis is x, y, z"),
        (alternating("time,sensor_id,x\n", "{time},{key},0.5\n", ["1", "2"]), "sensor_id is 1, 2"),
        (alternating("", "{time},{key},0.5\n", ["watch", "phone", "watch", "phone", "phone"]), "2 is watch, phone"),
    ],
)
def test_rows_of_several_sensors_are_refused(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(InputError, match=rf"rows of several sensors follow one another \({named}\): give each its own"):
        read(tmp_path / "a.csv", text)


@pytest.mark.parametrize(
    "text",
    [
        alternating("time,label,x\n", "{time},{key},0.5\n", ["walk", "sit"]),
        alternating("time,seq,x\n", "{time},{key},0.5\n", ["1", "2"]),
        alternating("time,channel,x\n", "{time},{key},0.5\n", ["1", "2", "2", "1", "2"]),
        alternating("time,place,x\n", "{time},{key},0.5\n", ["left"] * 3 + ["right"] * 3),
    ],
)
def test_labels_counters_and_readings_tell_no_sensors(tmp_path: Path, text: str) -> None:
    names, rows = read(tmp_path / "a.csv", text, 2)
    assert (len(names), {value for (value,) in rows}) == (3, {0.5})


def test_what_loggers_write_above_may_have_numbers_and_dates(tmp_path: Path) -> None:
    above = ["Device Type,Logger", "Calibration Date,2026-01-02 10:00:00:000", "", "Rate,100 Hz", *[""] * 96]
    body = [f"2026-01-02 10:00:00:{10 * row:03},{row},0.5" for row in range(20)]
    names, rows = read(tmp_path / "a.csv", "\n".join(above + body))
    assert names == ("1", "2", "3")
    assert np.allclose(rows, [[1767348000 + row / 100, row, 0.5] for row in range(20)], rtol=0, atol=1e-6)


@pytest.mark.parametrize("row", ['"{}" {}.5 2', "{} {}.5 2"])
def test_numbers_of_rows_that_r_writes_have_no_name(tmp_path: Path, row: str) -> None:
    text = '"x" "y"\n' + "\n".join(row.format(number, number) for number in range(1, 5))
    assert read(tmp_path / "a.txt", text, 1) == (("row", "x", "y"), [[1.5], [2.5], [3.5], [4.5]])


@pytest.mark.parametrize(
    "above",
    [
        "Frame#,Time,A,,,\n,,X1,Y1,Z1,X2\n",  # OpenSim
        ",,A,A,A,B\n,,1,1,1,2\n,,Position,Position,Position,Position\nFrame#,Time,X1,Y1,Z1,X2\n",  # OptiTrack
    ],
)
def test_names_of_motion_capture(tmp_path: Path, above: str) -> None:
    found = read(tmp_path / "a", f"{above}1,0.00,1.5,2,3,4\n2,0.01,-3,4e1,5,6\n")
    assert found[0] == ("Frame#", "Time", "X1", "Y1", "Z1", "X2")
    assert found[1] == [[1, 0, 1.5, 2, 3, 4], [2, 0.01, -3, 40, 5, 6]]


@pytest.mark.parametrize("delimiter", [",", "\t", " "])
def test_times_of_the_monitor_of_arduino_are_a_column(tmp_path: Path, delimiter: str) -> None:
    rows = [f"12:00:00.{part} -> {delimiter.join(('1.5', '2', '-3'))}\n" for part in ("250", "500")]
    assert read(tmp_path / "a", "".join(rows))[1] == [[43200.25, 1.5, 2, -3], [43200.5, 1.5, 2, -3]]


def test_blanks_in_dates_cut_no_columns(tmp_path: Path) -> None:
    row = "HeartRate,Watch,2026-01-31 10:00:0{0} +0100,2026-01-31 10:00:0{0} +0100,6{0}\n"
    rows = "".join(row.format(second) for second in range(3))
    names, found = read(tmp_path / "a", f"type,source,startDate,endDate,value\n{rows}", 2, 4)
    assert names == ("type", "source", "startDate", "endDate", "value")
    assert found == [[1769850000 + second, 60 + second] for second in range(3)]


def test_decimal_commas_between_commas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="3 names above rows of 6 cells: commas seem to part cells, and to be decimal"):
        read(tmp_path / "a", "time,x,y\n0,00,1,5,2,25\n0,01,1,5,2,25\n")


def test_rows_of_numbers_that_are_too_short_are_not_left_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 2 has 3 cells, the first has 2"):
        read(tmp_path / "a.csv", "1,2\n3,4,5\n6,7,8\n9,10,11\n")


def test_empty_cells_hold_no_reading(tmp_path: Path) -> None:
    _, rows = read(tmp_path / "a.csv", "x,y,z\n1,,NaN\nnull, n/a ,2\n", 0, 1, 2)
    assert np.array_equal(rows, [[1, np.nan, np.nan], [np.nan, np.nan, 2]], equal_nan=True)


def test_dates_are_seconds_since_1970(tmp_path: Path) -> None:
    text = "time,x\n2026-01-02 03:04:05.5,1\n2026-01-02T03:04:06+00:00,2\n2026-01-02T04:04:07+01:00,3\n"
    _, rows = read(tmp_path / "a.csv", text, 0)
    assert np.subtract(rows, 1767323045.0).tolist() == [[0.5], [1.0], [2.0]]
    assert number("01:00:00.25") == 3600.25
    with open_text(tmp_path / "a.csv") as table:
        assert (table.dates, table.numeric) == ((True, False), (False, True))
        assert table.last(0) == 1767323047.0


def test_times_of_the_day_count_from_the_dates_beside_them(tmp_path: Path) -> None:
    text = "Date;Time;x\n02.01.2026;23:59:59,5;1\n03.01.2026;00:00:00,5;2\n"
    with open_text_of(tmp_path, text) as table:
        assert (table.dates, table.last(1)) == ((False, True, False), 1767398400.5)
        assert np.concatenate(list(table.read([1, 2]))).tolist() == [[1767398399.5, 1], [1767398400.5, 2]]
    with (
        open_text_of(tmp_path, text + "soon;00:00:01,5;3\n") as table,
        pytest.raises(InputError, match=r"row 3, column Date: 'soon' is no date as those above"),
    ):
        list(table.read([1, 2]))


@pytest.mark.parametrize(
    "dates",
    [
        ("1/31/2026 11:59:59 PM", "2/1/2026 12:00:00 AM"),
        ("31/1/2026 23:59:59", "1/2/2026 00:00:00"),
        ("1/2/2026 23:59:59", "1/3/2026 00:00:00"),
        ("1/2/2026 23:59:59", "2/2/2026 00:00:00"),
    ],
)
@pytest.mark.parametrize("rows", [1, 150])
def test_the_last_row_may_tell_whether_months_stand_before_days(
    tmp_path: Path, dates: tuple[str, str], rows: int
) -> None:
    text = "time,x\n" + f"{dates[0]},1\n" * rows + f"{dates[1]},2\n"
    _, times = read(tmp_path / "a.csv", text, 0)
    assert times[-1][0] - times[0][0] == 1.0
    with open_text(tmp_path / "a.csv") as table:
        assert table.last(0) == times[-1][0]


def test_dates_of_two_orders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2, column time: '31/1/2026 10:00' is no date as those above"):
        read(tmp_path / "a.csv", "time,x\n1/31/2026 10:00,1\n31/1/2026 10:00,2\n1/31/2026 10:01,3\n", 0)


def test_text_is_no_column_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,note,when\n1,up,2\n2,,soon\n")
    with open_text(tmp_path / "a.csv") as table:
        assert (table.named, table.numeric, table.rows) == (True, (True, False, False), None)


@pytest.mark.parametrize("cell", ["OVR", "ERR", "#N/A", "12 g", "1.5e", "0x1F", "12:30"])
@pytest.mark.parametrize("row", [1, 20, 500])
def test_one_cell_that_is_no_number_is_refused_wherever_it_stands(tmp_path: Path, cell: str, row: int) -> None:
    rows = ["1,2"] * 600
    rows[row - 1] = f"1,{cell}"
    (tmp_path / "a.csv").write_text("\n".join(["x,y", *rows]))
    with open_text(tmp_path / "a.csv") as table:
        assert table.numeric == (True, True)
        with pytest.raises(InputError, match=rf"row {row}, column y: '{re.escape(cell)}' is no number"):
            list(table.read([0, 1]))


def test_a_column_of_words_may_hold_some_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,note,when\n1,up,2026-01-01\n2,3,soon\n3,down,2026-01-02\n")
    with open_text(tmp_path / "a.csv") as table:
        assert (table.numeric, table.dates) == ((True, False, False), (False, False, True))


def test_columns_of_one_name_are_numbered(tmp_path: Path) -> None:
    names, rows = read(tmp_path / "a.csv", "acc,t,acc,,\n1,2,3,4,5\n")
    assert (names, rows) == (("acc_1", "t", "acc_2", "", ""), [[1, 2, 3, 4, 5]])


def test_letters_of_old_programs(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "x (m/s²);y\n1,5;2\n".encode("cp1252")) == (("x (m/s²)", "y"), [[1.5, 2.0]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows of readings, expected a row of numbers per moment"),
        ("x,y\n", "no rows of readings"),
        ("x,y\n1,2\n3\n4,5\n", r"row 2 has 1 cells, the first has 2"),
        ("x,y\n1,2\n3,up\n", r"row 2, column y: 'up' is no number"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"a\.csv: {message}"):
        read(tmp_path / "a.csv", text)


def test_a_cell_far_down_is_named_too(tmp_path: Path) -> None:
    text = "x,y\n" + "1,2\n" * 20_000 + "1,two\n"
    with pytest.raises(InputError, match=r"row 20,001, column y: 'two' is no number"):
        read(tmp_path / "a.csv", text)
    assert read(tmp_path / "a.csv", text, 0)[1] == [[1.0]] * 20_001, "a column that is not looked at may hold anything"


def test_a_last_row_that_is_cut_is_left_out(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "x,y\n1,2\n3")[1] == [[1, 2]]
    text = "x,y\n" + "1,2\n" * PIECE
    assert len(read(tmp_path / "a.csv", text + "1")[1]) == PIECE


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=3, max_size=3), min_size=1),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), ("|", ".")]),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]], marks: tuple[str, str]
) -> None:
    delimiter, point = marks
    lines = [delimiter.join(f"{value:.3f}".replace(".", point) for value in row) for row in rows]
    path = tmp_path_factory.getbasetemp() / "written.csv"
    assert read(path, "\n".join([delimiter.join("abc"), *lines]))[1] == rows
    assert dialect_of(lines).delimiter == delimiter
