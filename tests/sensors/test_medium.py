import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.medium import ReadSummary
from actionformer.sensors.columns import Columns
from actionformer.sensors.medium import SENSORS, Sensors


def read(
    path: Path, fps: float | None = None, columns: str = ""
) -> tuple[NDArray[np.float32], float | None, ReadSummary]:
    """The rows, the end that was declared before, and the summary."""
    with Sensors(Columns.parsed(columns)).open(path, fps) as recording:
        declared, start = recording.declared, recording.start
        rows = np.stack(list(recording.rows()))
        summary = recording.summary(len(rows))
    assert (recording.fps, start) == (summary.fps, summary.start)
    return rows, declared, summary


def write(path: Path, times: list[str], *, header: str = "time,x,y") -> Path:
    path.write_text("\n".join([header, *(f"{time},{row},{row * row}" for row, time in enumerate(times))]))
    return path


def test_rows_without_a_clock_come_at_the_rate_that_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6).reshape(3, 2))
    rows, declared, summary = read(tmp_path / "a.npy", fps=2)
    assert rows.dtype == np.float32
    assert rows.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert declared == 1.5
    assert summary == ReadSummary(fps=2, native_fps=2, frames=3, start=0.0, duration=1.5)
    with pytest.raises(InputError, match=r"a\.npy: does not say how many rows come a second: give --fps"):
        read(tmp_path / "a.npy")


def test_a_file_may_say_its_rate_above_the_readings(tmp_path: Path) -> None:
    (tmp_path / "EDA.csv").write_text("1505850000.000000\n4.000000\n0.5\n1.5\n2.5\n3.5\n")
    rows, _, summary = read(tmp_path / "EDA.csv")
    assert rows.tolist() == [[0.5], [1.5], [2.5], [3.5]]
    assert (summary.fps, summary.start, summary.duration, summary.warning) == (4, 0, 1, None)
    rows, _, summary = read(tmp_path / "EDA.csv", fps=8)
    assert rows[:3].tolist() == [[0.5], [1.0], [1.5]]
    assert (summary.fps, summary.native_fps, summary.duration) == (8, 4, 1)


def test_times_are_those_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["12.5", "12.6", "12.7"])
    rows, declared, summary = read(path)
    assert rows.tolist() == [[0, 0], [1, 1], [2, 4]]
    assert summary == ReadSummary(fps=10, native_fps=10, frames=3, start=12.5, duration=declared or 0)
    assert declared == pytest.approx(12.8)


@pytest.mark.parametrize(
    "times",
    [
        ["2026-01-01T10:00:00.0", "2026-01-01T10:00:00.1", "2026-01-01T10:00:00.2"],
        ["1767261600000", "1767261600100", "1767261600200"],
    ],
)
def test_dates_count_from_the_first_row(tmp_path: Path, times: list[str]) -> None:
    _, declared, summary = read(write(tmp_path / "a.csv", times))
    assert (summary.fps, summary.start, summary.warning) == (10.0, 0.0, None)
    assert summary.duration == pytest.approx(0.3)
    assert declared == pytest.approx(0.3)


def test_a_clock_of_the_day_goes_on_after_midnight(tmp_path: Path) -> None:
    times = ["23:59:59.8", "23:59:59.9", "", "00:00:00.1", "00:00:00.2"]
    rows, declared, summary = read(write(tmp_path / "a.csv", times))
    assert (summary.fps, summary.start, declared) == (10.0, 0.0, None)  # nobody knows how many days there are
    assert summary.duration == pytest.approx(0.5)
    assert len(rows) == 5


def test_the_unit_of_the_clock_may_stand_below_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time,x\n(ms),(V)\n" + "".join(f"{i / 50:.2f},{i}\n" for i in range(50)))
    _, _, summary = read(tmp_path / "a.csv")
    assert (summary.fps, summary.warning) == (50_000.0, None)


def test_a_clock_that_cannot_be_read_is_told_where_no_rate_is_given(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.csv: its column time holds neither numbers nor dates such as 2026"):
        read(write(tmp_path / "a.csv", ["Jan 2 10:00:00", "Jan 2 10:00:01"]))


def test_another_rate_is_interpolated_and_told(tmp_path: Path) -> None:
    rows, _, summary = read(write(tmp_path / "a.csv", ["0", "0.1", "0.2", "0.3"]), fps=20)
    assert rows[:, 0].tolist() == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3, 3])
    assert (summary.fps, summary.native_fps) == (20, 10)
    assert summary.warning == "10 rows come a second and are interpolated, without smoothing, to 20"


def test_all_that_is_odd_is_told_at_once(tmp_path: Path) -> None:
    times = ["0", "10", "", "30", "30", "50", "90"]
    _, _, summary = read(write(tmp_path / "a.csv", times, header="clock,x,y"), columns="x,y@clock")
    assert summary.warning is not None
    for part in (
        "its column clock is taken for milliseconds",
        "1 row with the time of the row before, spread until the next time",
        "1 row without a time left out",
        "bridged by straight lines",
    ):
        assert part in summary.warning


def test_errors_name_the_file_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["0", "0.1", "0.05"])
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}: row 3 goes back from 0.100 to 0.050 s")
    path.write_text("time,x,y\n0,1,\n0.1,2,\n")
    with pytest.raises(InputError, match=r"a\.csv: column y holds no reading: name others with --columns"):
        read(path, columns="x,y")
    with pytest.raises(InputError, match=r"a\.csv: column time holds 1 different times"):
        read(write(path, ["0", "0"]))
    with pytest.raises(InputError, match=r"a\.csv: no column 'z'; there are time, x, y"):
        read(path, columns="z")


def test_a_cut_last_row_declares_no_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["0", "0.1", "0.2"])
    path.write_text(path.read_text() + "\n0.3,")
    with SENSORS.open(path, None) as recording:
        assert recording.declared == pytest.approx(0.3)


def test_the_medium_travels_to_other_processes() -> None:
    medium = Sensors(Columns(("x",), "t"))
    assert pickle.loads(pickle.dumps(medium)) == medium
