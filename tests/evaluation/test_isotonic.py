from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.evaluation.isotonic import isotonic

ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def test_a_case_worked_by_hand() -> None:
    """Hits 0 1 0 1 at rising scores: the second and the third violate, and are pooled to a half."""
    scores, shares = isotonic(np.array([0.1, 0.2, 0.4, 0.9]), np.array([False, True, False, True]))
    np.testing.assert_allclose(scores, [0.1, 0.3, 0.9])
    np.testing.assert_allclose(shares, [0.0, 0.5, 1.0])


def test_equal_scores_are_one_pool_and_their_order_does_not_matter() -> None:
    for hits in ([True, False, False, True], [False, True, False, True]):
        scores, shares = isotonic(np.array([0.5, 0.5, 0.5, 0.8]), np.array(hits))
        np.testing.assert_allclose(scores, [0.5, 0.8])
        np.testing.assert_allclose(shares, [1 / 3, 1.0])


def test_scores_that_say_nothing_give_one_share() -> None:
    scores, shares = isotonic(np.array([0.2, 0.4, 0.6]), np.array([True, False, False]))
    np.testing.assert_allclose(scores, [0.4])
    np.testing.assert_allclose(shares, [1 / 3])


@given(ROWS)
def test_no_function_that_does_not_fall_is_nearer(rows: Any) -> None:
    """The shares are those of the min-max formula of isotonic regression, and keep the number of hits."""
    scores, hits = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    knots, shares = isotonic(scores, hits)
    assert (np.diff(knots) > 0).all()
    assert (np.diff(shares) >= 0).all()
    known = np.unique(scores)
    best = [
        max(
            min(hits[(scores >= low) & (scores <= high)].mean() for high in known[known >= one])
            for low in known[known <= one]
        )
        for one in known
    ]
    assert set(np.round(shares, 9)) <= set(np.round(best, 9))
    if len(shares) == len(np.unique(np.round(best, 12))):
        assert shares == pytest.approx(np.unique(np.round(best, 12)))
