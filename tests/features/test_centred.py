import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.features import CentredFeatures, RunningMean, centred


@pytest.mark.parametrize("at_once", [1, 7, 4096])
def test_any_part_is_less_the_mean_of_all(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(centred, "ROWS", at_once)
    rows = np.random.default_rng(0).normal(3, 2, (50, 4)).astype(np.float32)
    found = CentredFeatures(rows)
    assert found.shape == (50, 4)
    expected = rows - rows.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(found[:], expected, atol=1e-6)
    np.testing.assert_allclose(found[13:20], expected[13:20], atol=1e-6)
    assert found[:].dtype == np.float32


def test_a_large_offset_costs_no_digits() -> None:
    rows = (1e6 + np.tile([[0.0], [1.0]], (5000, 3))).astype(np.float32)
    assert np.array_equal(CentredFeatures(rows)[:2], [[-0.5] * 3, [0.5] * 3])


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8), seed=st.integers(0, 2**31))
def test_each_row_of_a_stream_is_less_the_mean_up_to_it(lengths: list[int], seed: int) -> None:
    rows = np.random.default_rng(seed).normal(5, 2, (sum(lengths), 3)).astype(np.float32)
    running, starts = RunningMean(3), np.cumsum([0, *lengths])
    found = np.concatenate([running(rows[a:b]) for a, b in itertools.pairwise(starts)])
    expected = np.stack([rows[i] - rows[: i + 1].mean(axis=0, dtype=np.float64) for i in range(len(rows))])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (found[0] == 0).all()
    assert found.dtype == np.float32


def test_a_stream_of_days_is_centred_as_exactly_as_its_beginning() -> None:
    """Sums of float32 would stop growing."""
    running, rows = RunningMean(1), np.full((200_000, 1), 1e4, np.float32)
    for _ in range(20):
        running(rows)
    assert running(np.array([[1e4 + 1]], np.float32)) == pytest.approx(1, abs=1e-3)
