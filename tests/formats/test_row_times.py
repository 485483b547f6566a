"""Columns of times, worked by hand."""

import numpy as np
import pytest

from actionformer.formats.clock import clock_of
from actionformer.formats.row_times import evenly, is_time, row_times
from actionformer.sensors.timed import Timed


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("time", True), ("Timestamp (ms)", True), ("seconds", True), ("elapsed min", True),
        ("min", False), ("frame", False),
        ("start time", False), ("reaction time", False), ("", False),
    ],
)  # fmt: skip
def test_names_of_times(name: str, expected: bool) -> None:
    assert is_time(name) == expected


@pytest.mark.parametrize(
    ("first", "step"), [(1767348000, 0.5), (1767348000000, 500), (1767348000000000, 5e5), (1767348000000000000, 5e8)]
)
def test_times_since_1970_tell_their_unit(first: int, step: float) -> None:
    times = row_times([f"{first + row * step:.1f}" for row in range(3)], "timestamp")
    assert times
    assert times.seconds == pytest.approx([0, 0.5, 1], abs=1e-6)


@pytest.mark.parametrize("name", ["time", "Time (days)"])
def test_dates_of_spreadsheets_count_from_the_first_row(name: str) -> None:
    times = row_times([f"{45292.5 + row / 50 / 86400:.10f}" for row in range(3)], name)
    assert times
    assert times.seconds == pytest.approx([0, 0.02, 0.04], abs=1e-4)


def test_a_clock_may_count_many_nanoseconds_at_once() -> None:
    times = row_times(["0", "200000", "400000"], "timestamp (100ns)")
    assert times
    assert (times.seconds, times.sure) == ([0.0, 0.02, 0.04], True)


def test_a_time_that_cannot_be_read_is_none() -> None:
    times = row_times(["0.5", "", "1.5"], "time")
    assert times
    assert (times.seconds, times.sure) == ([0.5, None, 1.5], False)
    assert row_times(["noon", "1"], "time") is None


def test_dates_with_the_month_first_count_from_the_first_row() -> None:
    times = row_times(["1/31/2026 11:59:59 PM", "2/1/2026 12:00:00 AM"], "time")
    assert times
    assert times.seconds == [0.0, 1.0]


@pytest.mark.parametrize("counts", [[1, 1, 1], [4, 4, 4], [2, 4, 4, 3], [1, 50, 49, 51, 50, 7], [3, 3, 4, 3, 2]])
def test_rows_that_share_a_time_lie_where_readings_do(counts: list[int]) -> None:
    times = np.repeat(np.arange(len(counts)) + 7.0, counts)
    readings = Timed(clock_of("time_s", times, dates=False, fps=None))([times[:, None]])
    assert evenly(times.tolist()) == pytest.approx(np.concatenate([own for own, _ in readings]).tolist())


def test_times_that_are_missing_are_not_spread() -> None:
    assert evenly([0.0, 0.0, None, 1.0]) == [0.0, 0.0, None, 1.0]
    assert evenly([3.0, 3.0]) == [3.0, 3.0]
    assert evenly([]) == []


@pytest.mark.parametrize("cells", [["1e300", "1e308", "-1e308"], ["0", "0", "1e-320"], ["5", "5", "5"]])
def test_numbers_that_no_clock_has_are_left_to_what_asks(cells: list[str]) -> None:
    times = row_times(cells, "t", readings=True)
    assert times
    assert len(times.seconds) == 3
