import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.data.rarity import class_shares, draw_repeated, repeat_factors, worth_repeating


def labels(*rows: list[int]) -> list[np.ndarray]:
    return [np.array(row, np.int64) for row in rows]


def test_factors_worked_by_hand() -> None:
    """Class 0 is in all of four sequences, class 1 in a quarter: with t = 1 that is sqrt(1 / 0.25) = 2 times."""
    rows = labels([0], [0, 0], [0, 1, 1], [0])
    assert class_shares(rows) == {0: 1.0, 1: 0.25}
    assert repeat_factors(rows, 1.0).tolist() == [1, 1, 2, 1]
    assert repeat_factors(rows, 0.5).tolist() == [1, 1, pytest.approx(2**0.5), 1]
    assert repeat_factors(rows, 0.25).tolist() == [1, 1, 1, 1]
    assert repeat_factors(rows, 0.0).tolist() == [1, 1, 1, 1]
    assert repeat_factors(labels([], [0]), 1.0).tolist() == [1, pytest.approx(2**0.5)]


def test_where_repeating_pays() -> None:
    """A class in one of fifty sequences is in 2% of them, in one of 51 in fewer."""
    assert worth_repeating(labels(*[[0]] * 49, [0, 1])) == 0
    assert worth_repeating(labels(*[[0]] * 50, [0, 1])) == 0.3
    assert worth_repeating(labels([])) == 0


def test_whole_factors_are_kept_exactly() -> None:
    drawn = draw_repeated(np.array([1.0, 3.0, 1.0]), np.random.default_rng(0))
    assert drawn.tolist() == [0, 1, 1, 1, 2]


@given(st.lists(st.floats(1, 5), min_size=1, max_size=30), st.integers(0, 99))
def test_every_epoch_has_as_many_and_each_factor_is_rounded(factors: list[float], seed: int) -> None:
    every = np.array(factors)
    drawn = draw_repeated(every, np.random.default_rng(seed))
    assert len(drawn) == round(every.sum())
    assert (np.diff(drawn) >= 0).all()
    counts = np.bincount(drawn, minlength=len(every))
    assert len(counts) == len(every)
    scaled = every * len(drawn) / every.sum()
    assert (np.abs(counts - scaled) < 1 + 1e-9).all()


def test_on_average_a_sequence_comes_as_often_as_its_factor() -> None:
    factors = np.array([1.0, 2.5, 1.0, 1.5])
    counts = sum(np.bincount(draw_repeated(factors, np.random.default_rng(seed)), minlength=4) for seed in range(400))
    np.testing.assert_allclose(np.asarray(counts) / 400, factors, atol=0.1)
