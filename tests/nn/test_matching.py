"""The least cost of pairs: by hand, and against trying all."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.nn.matching import least_cost_pairs


def test_three_queries_and_two_actions() -> None:
    """Both actions want query 0. Action 1 loses less by taking another: 1 + 3 = 4, where the rest cost 5 or more."""
    cost = np.array([[1.0, 2.0], [5.0, 3.0], [4.0, 9.0]])
    queries, actions = least_cost_pairs(cost)
    assert queries.tolist() == [0, 1]
    assert actions.tolist() == [0, 1]
    actions, queries = least_cost_pairs(cost.T)
    assert actions.tolist() == [0, 1]
    assert queries.tolist() == [0, 1]


def test_a_chain_has_to_give_way() -> None:
    """Row 2 can only have column 0, which row 0 has, which then takes column 1 from row 1: 2 + 2 + 1."""
    cost = np.array([[1.0, 2.0, 9.0], [9.0, 1.0, 2.0], [1.0, 9.0, 9.0]])
    assert least_cost_pairs(cost)[1].tolist() == [1, 2, 0]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nobody_to_pair(shape: tuple[int, int]) -> None:
    rows, columns = least_cost_pairs(np.empty(shape))
    assert len(rows) == len(columns) == 0


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32 - 1), st.booleans())
def test_no_other_pairs_cost_less(rows: int, columns: int, seed: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.integers(-3, 3, (rows, columns)).astype(float) if coarse else rng.normal(size=(rows, columns))
    found = least_cost_pairs(cost)
    assert len(found[0]) == min(rows, columns)
    assert len(set(found[0])) == len(set(found[1])) == min(rows, columns)
    assert (np.diff(found[0]) > 0).all()
    few, many = (cost, columns) if rows <= columns else (cost.T, rows)
    every = permutations(range(many), len(few))
    assert cost[found].sum() == pytest.approx(min(few[range(len(few)), list(one)].sum() for one in every))
