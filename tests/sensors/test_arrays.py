from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.sensors.files import open_table


def read(path: Path) -> tuple[tuple[str, ...], list[list[float]]]:
    with open_table(path) as table:
        assert table.rows is not None
        rows = np.concatenate(list(table.read(range(len(table.names)))))
        assert [table.last(column) for column in range(len(table.names))] == rows[-1].tolist()
        return table.names, rows.tolist()


def test_an_array_has_a_row_per_moment(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.int16).reshape(3, 2))
    assert read(tmp_path / "a.npy") == (("1", "2"), [[0, 1], [2, 3], [4, 5]])
    np.save(tmp_path / "a.npy", np.array([1.5, 2.5]))
    assert read(tmp_path / "a.npy") == (("1",), [[1.5], [2.5]])
    with ExitStack() as stack:
        table = stack.enter_context(open_table(tmp_path / "a.npy"))
        assert (table.named, table.rows) == (False, 2)


def test_named_arrays_are_the_sensors_of_one_recording(tmp_path: Path) -> None:
    times = np.array(["2026-01-01T00:00:00", "2026-01-01T00:00:01"], "datetime64[s]")
    np.savez(
        tmp_path / "a.npz", t=times, acc=np.array([[1, 2], [3, 4]]), heart=np.array([60.0, 61.0]), who=np.array("A")
    )
    names, rows = read(tmp_path / "a.npz")
    assert names == ("t", "acc_1", "acc_2", "heart")
    assert rows == [[1767225600, 1, 2, 60], [1767225601, 3, 4, 61]]
    with open_table(tmp_path / "a.npz") as table:
        assert (table.dates, table.numeric) == ((True, False, False, False), (False, True, True, True))
    np.savez_compressed(tmp_path / "one.npz", data=np.ones((2, 2)))
    assert read(tmp_path / "one.npz")[0] == ("1", "2"), "an array alone needs no name"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2, 2)), r"an array \(2, 2, 2\) of float64, expected numbers \(rows, channels\)"),
        (np.array(["a"]), r"an array \(1,\) of <U1"),
        (np.zeros((0, 3)), r"an array \(0, 3\)"),
        (np.zeros((6, 5000)), r"an array \(6, 5000\), expected \(rows, channels\): save its transpose"),
        (np.array([None]), "cannot be read as a table of numbers"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: Any, message: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=rf"a\.npy: {message}"):
        read(tmp_path / "a.npy")


def test_several_recordings_in_a_file_are_refused_with_what_to_do(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", one=np.zeros((3, 2)), two=np.zeros((4, 2)))
    with pytest.raises(InputError, match=r"different lengths: one \(3 rows\), two \(4 rows\)\. .* file of its own"):
        read(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", name=np.array("A"))
    with pytest.raises(InputError, match="no arrays of numbers"):
        read(tmp_path / "a.npz")
    for ending in ("npy", "npz"):
        (tmp_path / f"broken.{ending}").write_bytes(b"nothing")
        with pytest.raises(InputError, match=rf"broken\.{ending}: cannot be read as a table of numbers"):
            read(tmp_path / f"broken.{ending}")
    with pytest.raises(InputError, match=r"absent\.npy: no such file of readings"):
        read(tmp_path / "absent.npy")
