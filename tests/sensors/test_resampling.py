import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.sensors.resampling import Resampler

nan = math.nan


def made(
    times: list[float], *channels: list[float], fps: float = 10.0, rate: float = 10.0, pieces: int = 1
) -> tuple[list[list[float]], Resampler]:
    """The rows that are made of readings, channel by channel."""
    resampler, readings = Resampler(fps, rate), np.column_stack(channels)
    parts = zip(np.array_split(np.array(times), pieces), np.array_split(readings, pieces), strict=True)
    rows = np.concatenate(list(resampler(part for part in parts if len(part[0]))))
    return rows.T.tolist(), resampler


def tenths(*numbers: int) -> list[float]:
    return [number / 10 for number in numbers]


def test_even_readings_stay_as_they_are() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal(500).tolist()
    rows, resampler = made((np.arange(500) / 50).tolist(), values, fps=50, rate=50, pieces=7)
    assert rows == [values]
    assert (resampler.start, resampler.end, resampler.warning()) == (0.0, 10.0, None)


def test_a_gap_is_bridged_by_a_straight_line_and_told() -> None:
    rows, resampler = made(tenths(0, 1, 4, 5), [0, 1, 7, 8])
    assert rows == [pytest.approx([0, 1, 3, 5, 7, 8])]
    assert resampler.warning() == "1 gap, 0.2 s in all, bridged by straight lines"


def test_a_long_gap_stands_at_the_mean_before_and_is_told() -> None:
    rows, resampler = made(tenths(0, 1, 2, 20, 21), [1, 2, 6, 50, 60])
    assert rows == [[1, 2, 6, *[3] * 17, 50, 60]]
    assert resampler.warning() == "1 long gap, 1.7 s in all, filled with the mean of the readings before"


def test_empty_cells_are_gaps_of_their_channel() -> None:
    times = tenths(*range(16))
    rows, resampler = made(times, list(range(16)), [1, nan, 3, *[nan] * 12, 9], [nan, nan, 5, *range(13)])
    assert rows[0] == list(range(16))
    assert rows[1] == [1, 2, 3, *[2] * 12, 9]
    assert rows[2] == [5, 5, 5, *range(13)], "one that begins late is held"
    assert resampler.warning() == "15 empty cells filled as gaps are"
    assert resampler.told.readings.tolist() == [16, 3, 14]


def test_a_channel_that_ends_early_is_held_or_left_at_its_mean() -> None:
    rows, _ = made(tenths(*range(4)), list(range(4)), [1, 3, nan, nan])
    assert rows[1] == [1, 3, 3, 3]
    rows, resampler = made(tenths(*range(15)), list(range(15)), [1, 3, *[nan] * 13], [nan] * 15)
    assert rows[1] == [1, 3, *[2] * 13]
    assert rows[2] == [0] * 15
    assert resampler.told.readings.tolist() == [15, 2, 0]


def test_uneven_readings_are_interpolated_and_told() -> None:
    rows, resampler = made([0, 0.08, 0.21, 0.3], [0, 8, 21, 30])
    assert rows == [pytest.approx([0, 10, 20, 30])]
    assert resampler.warning() == "rows come 80 to 130 ms after one another and are interpolated to 10 a second"


def test_other_rates() -> None:
    rows, resampler = made(tenths(0, 1, 2, 3), [0, 1, 2, 3], fps=20)
    assert rows == [pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3, 3])], "a row lasts until the next would come"
    rows, _ = made(tenths(0, 1, 2, 3), [0, 1, 2, 3], fps=5)
    assert rows == [pytest.approx([0, 2])]
    rows, resampler = made(tenths(50), [7])
    assert rows == [[7]]
    assert (resampler.start, resampler.end) == (5.0, pytest.approx(5.1))


def test_what_lies_days_apart_is_refused() -> None:
    with pytest.raises(InputError, match=r"nothing comes for 27\.8 hours from 0\.1 s on: make a file of each"):
        made([0, 0.1, 100_000], [1, 2, 3])


@given(
    st.lists(
        st.tuples(st.integers(1, 15), st.integers(-9, 9) | st.none(), st.integers(-9, 9)), min_size=1, max_size=60
    ),
    st.integers(2, 9),
    st.sampled_from([5.0, 10.0, 20.0]),
)
def test_pieces_change_nothing(rows: list[tuple[int, int | None, int]], pieces: int, fps: float) -> None:
    times = (np.cumsum([step for step, _, _ in rows]) / 10).tolist()
    channels = [[nan if value is None else value for value in column] for column in list(zip(*rows, strict=True))[1:]]
    whole, expected = made(times, *channels, fps=fps)
    parts, found = made(times, *channels, fps=fps, pieces=pieces)
    assert np.allclose(parts, whole)
    assert found.warning() == expected.warning()
    assert len(whole[0]) == max(round((times[-1] + 0.1 - times[0]) * fps), 1)
    assert np.allclose(whole, [reference(times, column, fps) for column in channels])


def reference(times: list[float], readings: list[float], fps: float) -> list[float]:
    """One channel, value by value."""
    known = [(time, value) for time, value in zip(times, readings, strict=True) if not math.isnan(value)]
    end = times[-1] + 0.1
    return [
        _value(times[0], end, known, times[0] + number / fps) for number in range(max(round((end - times[0]) * fps), 1))
    ]


def _value(start: float, end: float, known: list[tuple[float, float]], at: float) -> float:
    before = [(time, value) for time, value in known if time <= at + 1e-6]
    after = [(time, value) for time, value in known if time > at + 1e-6]
    if before and at - before[-1][0] < 1e-6:
        return before[-1][1]
    left = before[-1][0] if before else start
    right = after[0][0] if after else end
    if right - left > 1 + 1e-6 or not known:
        values: NDArray[np.float64] = np.array([value for _, value in before])
        return float(values.mean()) if len(values) else 0.0
    if not (before and after):
        return (before[-1] if before else after[0])[1]
    return float(np.interp(at, [left, right], [before[-1][1], after[0][1]]))
