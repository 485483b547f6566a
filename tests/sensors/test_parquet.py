import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.sensors.files import open_table
from actionformer.sensors.parquet import open_parquet


def write(path: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    content = {
        "when": [datetime(2026, 1, 1, 0, 0, second) for second in range(4)],
        "x": [1.5, None, 3.5, 4.5],
        "n": [1, 2, None, 4],
        "note": list("abcd"),
    }
    write_table(pyarrow.table(content), path, row_group_size=3)
    return path


def test_columns_of_parquet(tmp_path: Path) -> None:
    with open_parquet(write(tmp_path / "a.parquet")) as table:
        assert (table.names, table.rows) == (("when", "x", "n", "note"), 4)
        assert (table.numeric, table.dates) == ((False, True, True, False), (True, False, False, False))
        rows = np.concatenate(list(table.read([1, 0, 2, 1])))
        assert (table.last(1), table.last(0)) == (4.5, 1767225603.0)
    nan = np.nan
    expected = [[1.5, 1767225600, 1, 1.5], [nan, 1767225601, 2, nan], [3.5, 1767225602, nan, 3.5],
                [4.5, 1767225603, 4, 4.5]]  # fmt: skip
    assert np.array_equal(rows, expected, equal_nan=True)


def test_what_is_no_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "a.parquet").write_bytes(b"nothing of the kind")
    with (
        pytest.raises(InputError, match=r"a\.parquet: cannot be read as a table of numbers .*: is"),
        open_table(tmp_path / "a.parquet"),
    ):
        pass
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with (
        pytest.raises(InputError, match=r"needs pyarrow: pip install 'actionformer-tal\[parquet\]'"),
        open_parquet(tmp_path / "a.parquet"),
    ):
        pass


def test_rows_of_several_sensors_are_refused(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(pyarrow.table({"t": range(6), "axis": ["x", "y"] * 3, "value": [0.5] * 6}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet: rows of several sensors"), open_table(tmp_path / "a.parquet"):
        pass


def test_columns_of_one_name_are_numbered(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    columns = [pyarrow.array([1.0, 2.0]), pyarrow.array([3, 4]), pyarrow.array([5.0, 6.0])]
    write_table(pyarrow.Table.from_arrays(columns, names=["a", "b", "a"]), tmp_path / "a.parquet")
    with open_parquet(tmp_path / "a.parquet") as table:
        assert table.names == ("a_1", "b", "a_2")
        assert np.concatenate(list(table.read([2, 1, 0]))).tolist() == [[5, 3, 1], [6, 4, 2]]
        assert (table.last(0), table.last(2)) == (2, 6)


def test_times_of_any_kind(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    stamps = ["1/31/2026 11:59:59 PM", "1/31/2026 11:59:59.5 PM", None, "2/1/2026 12:00:00 AM"]
    moments = [500, 1000, None, 1500]
    columns = {
        "lasted": pyarrow.array(moments, pyarrow.duration("ms")),
        "of_day": pyarrow.array(moments, pyarrow.time32("ms")),
        "fine": pyarrow.array([moment and moment * 1000 for moment in moments], pyarrow.time64("us")),
        "exact": pyarrow.array([Decimal("0.50"), Decimal("1.00"), None, Decimal("1.50")]),
        "zoned": pyarrow.array(moments, pyarrow.timestamp("ms", tz="Europe/Berlin")),
        "text": pyarrow.array(["0.5", "1", None, "1.5"]),
        "stamps": pyarrow.array(stamps).dictionary_encode(),
        "label": pyarrow.array(list("aabb")).dictionary_encode(),
    }
    write_table(pyarrow.table(columns), tmp_path / "a.parquet", row_group_size=3)
    with open_parquet(tmp_path / "a.parquet") as table:
        assert table.numeric == (True, False, False, True, False, True, False, False)
        assert table.dates == (False, True, True, False, True, False, True, False)
        assert table.units == ("s", "", "", "", "", "", "", "")
        rows = np.concatenate(list(table.read(range(7)))).T
        assert [table.last(column) for column in range(7)] == rows[:, -1].tolist()
    assert np.array_equal(rows[:6], [[0.5, 1, np.nan, 1.5]] * 6, equal_nan=True)
    assert np.array_equal(rows[6] - rows[6, 0], [0, 0.5, np.nan, 1], equal_nan=True)


def test_text_among_numbers_is_refused(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(pyarrow.table({"x": ["1", "2", "up"]}), tmp_path / "a.parquet")
    with (
        pytest.raises(InputError, match=r"a\.parquet: column x: could not convert string to float: 'up': correct it"),
        open_table(tmp_path / "a.parquet") as table,
    ):
        list(table.read([0]))
