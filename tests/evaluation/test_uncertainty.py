import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.evaluation.uncertainty import half_width, half_width_of_groups


def test_intervals_of_counts() -> None:
    """Wilson's interval of 8 of 10 is 0.490 to 0.943; of none of 10, 0 to 0.278."""
    assert half_width(8, 10) == pytest.approx((0.943 - 0.490) / 2, abs=1e-3)
    assert half_width(0, 10) == pytest.approx(0.278 / 2, abs=1e-3)
    assert half_width(0, 0) == 0.5
    assert half_width(800, 1000) < 0.03


def test_intervals_of_groups_worked_by_hand() -> None:
    """Two of four and four of four: the share is 6/8, each is 1 apart from it: 1.96 * sqrt(2 * 2) / 8 = 0.49."""
    assert half_width_of_groups([2, 4], [4, 4]) == pytest.approx(1.96 * 2 / 8)
    assert half_width_of_groups([3, 3, 3], [4, 4, 4]) == 0
    assert half_width_of_groups([3], [4]) == 0.5
    assert half_width_of_groups([0, 0], [0, 0]) == 0.5


def test_intervals_hold_the_true_share() -> None:
    """Of many draws of 40 groups whose shares differ, the interval holds the true share in about 95% of cases."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        right = rng.binomial(10, rng.beta(6, 2, 40))
        held += abs(right.sum() / 400 - 0.75) <= half_width_of_groups(right, np.full(40, 10))
    assert 0.9 < held / 300 < 0.99


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=9))
def test_bounds(rows: list[tuple[int, int]]) -> None:
    right, wrong = [row[0] for row in rows], [row[1] for row in rows]
    assert 0 <= half_width_of_groups(right, np.add(right, wrong)) <= 0.5
