from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid, clip, tiou

times = st.floats(-1e3, 1e3, allow_subnormal=False)
segments = hnp.arrays(np.float64, st.tuples(st.integers(0, 5), st.just(2)), elements=times).map(
    lambda array: np.sort(array, axis=1)
)
positive = st.floats(0.1, 100)
grids = st.builds(TimeGrid, fps=positive, stride=positive, num_frames=positive)


def test_tiou_by_hand() -> None:
    first = np.array([[0.0, 4.0], [2.0, 3.0], [5.0, 5.0]])
    second = np.array([[2.0, 6.0], [4.0, 5.0], [2.0, 3.0], [5.0, 5.0]])
    expected = [[2 / 6, 0, 1 / 4, 0], [1 / 4, 0, 1, 0], [0.0, 0, 0, 0]]
    np.testing.assert_allclose(tiou(first, second), expected, rtol=1e-15)


@given(segments, segments)
def test_tiou_is_symmetric_and_a_share(first: NDArray[np.float64], second: NDArray[np.float64]) -> None:
    overlap = tiou(first, second)
    assert overlap.shape == (len(first), len(second))
    assert ((overlap >= 0) & (overlap <= 1 + 1e-12)).all()
    np.testing.assert_array_equal(overlap, tiou(second, first).T)


@given(segments)
def test_tiou_with_itself_is_one(array: NDArray[np.float64]) -> None:
    longer = array[array[:, 1] - array[:, 0] > 1e-3]
    np.testing.assert_allclose(np.diag(tiou(longer, longer)), 1.0)


def test_clip_by_hand() -> None:
    found = clip(np.array([[-1.0, 2.0], [3.0, 9.0], [8.0, 9.0]]), 5.0)
    np.testing.assert_array_equal(found, [[0, 2], [3, 5], [5, 5]])


def test_grid_by_hand() -> None:
    grid = TimeGrid(fps=30, stride=4, num_frames=16)
    assert grid.half_window == 2
    assert grid.to_grid(np.array(1.0)) == 30 / 4 - 2
    assert grid.to_seconds(np.array(0.0)) == 8 / 30
    assert grid.seconds_covered(3) == 24 / 30


@given(grids, hnp.arrays(np.float64, (3, 2), elements=times))
def test_there_and_back(grid: TimeGrid, seconds: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(grid.to_seconds(grid.to_grid(seconds)), seconds, rtol=1e-9, atol=1e-6)


@given(grids, st.integers(1, 500), st.integers(1, 500))
def test_a_resized_grid_covers_the_same_time(grid: TimeGrid, length: int, new_length: int) -> None:
    resized = grid.resized(length, new_length)
    assert resized.seconds_covered(new_length) == pytest.approx(grid.seconds_covered(length))


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_grid_needs_positive_numbers(value: Any) -> None:
    with pytest.raises(InputError, match="stride must be a positive number"):
        TimeGrid(fps=30, stride=value, num_frames=16)


def test_a_grid_whose_first_frame_is_shown_late() -> None:
    late, soon = TimeGrid(fps=30, stride=4, num_frames=16, start=2.0), TimeGrid(fps=30, stride=4, num_frames=16)
    seconds = np.array([2.0, 5.0])
    assert late.to_grid(seconds).tolist() == soon.to_grid(seconds - 2).tolist()
    assert late.to_seconds(late.to_grid(seconds)).tolist() == pytest.approx([2.0, 5.0])
    assert late.seconds_covered(10) == soon.seconds_covered(10) + 2
    assert (
        late.resized(10, 20).to_seconds(np.array([0.0]))[0] == soon.resized(10, 20).to_seconds(np.array([0.0]))[0] + 2
    )
    for start in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="start must be a number of seconds from 0 on"):
            TimeGrid(fps=30, stride=4, num_frames=16, start=start)
