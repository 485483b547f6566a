"""Times of rows, worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.errors import InputError
from actionformer.formats.clock import Clock
from actionformer.sensors.timed import Timed

SECONDS = Clock(per_second=1.0, origin=0.0, rate=10.0)


def timed(times: list[float], *, pieces: int = 1) -> tuple[list[float], list[float], Timed]:
    """Times, and the number of each row as its reading, of a table in so many pieces."""
    rows = np.column_stack([times, np.arange(len(times))])
    clock = Timed(SECONDS)
    found = list(clock(np.array_split(rows, pieces)))
    return (
        np.concatenate([one for one, _ in found]).tolist(),
        np.concatenate([readings[:, 0] for _, readings in found]).tolist(),
        clock,
    )


def test_rows_that_share_a_time_are_spread_until_the_next() -> None:
    times, rows, clock = timed([0, 0, 0.2, 0.3, 0.3, 0.3])
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert rows == [0, 1, 2, 3, 4, 5]
    assert clock.shared == 3
    assert timed([0, 0, 9])[0] == pytest.approx([0, 0.1, 9]), "not into a gap"


def test_rows_without_a_time_are_left_out() -> None:
    times, rows, clock = timed([0, math.nan, 0.2, math.inf, 0.3])
    assert (times, rows, clock.untimed) == ([0, 0.2, 0.3], [0, 2, 4], 2)


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_times_that_go_back_are_refused(pieces: int) -> None:
    with pytest.raises(InputError, match=r"row 4 goes back from 0\.200 to 0\.150 s: sort the rows by time, or split"):
        timed([0, 0.1, 0.2, 0.15, 0.3], pieces=pieces)


def test_a_clock_that_stands_still_is_refused() -> None:
    with pytest.raises(InputError, match=r"70,000 rows have the time 1\.000 s: is it a clock\?"):
        timed([0, *[1.0] * 70_000], pieces=1)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(1, 8))
def test_times_always_rise_whatever_the_pieces(steps: list[int], pieces: int) -> None:
    given_ = (np.cumsum(steps) / 10).tolist()
    times, rows, _ = timed(given_, pieces=pieces)
    assert (np.diff(times) > 0).all()
    assert rows == list(range(len(steps)))
    assert times == timed(given_)[0]
    assert (np.subtract(times, given_) >= 0).all()
