from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.evaluation.thresholds import LEAST_ACTIONS, best_threshold, class_thresholds


def test_a_case_worked_by_hand() -> None:
    """F1 for four ground truths after each detection: 2/5, 4/6, 4/7, 6/8, 6/9."""
    scores, hits = np.array([0.9, 0.8, 0.7, 0.6, 0.2]), np.array([True, True, False, True, False])
    assert best_threshold(scores, hits, 4) == pytest.approx((0.6 + 0.2) / 2)
    assert best_threshold(scores[::-1], hits[::-1], 4) == pytest.approx(0.4)


def test_equal_scores_are_shown_together() -> None:
    scores, hits = np.array([0.9, 0.5, 0.5, 0.5]), np.array([True, True, False, False])
    assert best_threshold(scores, hits, 2) == pytest.approx(0.7)  # 2/3 against 4/6: the higher of two equal ones


def test_the_lowest_detection_and_none_at_all() -> None:
    assert best_threshold(np.array([0.4]), np.array([True]), 3) == pytest.approx(0.2)
    assert best_threshold(np.array([0.4]), np.array([False]), 3) == 1.0
    assert best_threshold(np.empty(0), np.empty(0, dtype=bool), 3) == 1.0


def test_classes_with_too_few_actions_have_the_threshold_of_all() -> None:
    truths = np.array([0] * LEAST_ACTIONS + [1] * (LEAST_ACTIONS - 1))
    scores, hits = np.array([0.9, 0.8, 0.4, 0.3, 0.95]), np.array([True, False, True, True, False])
    labels = np.array([0, 0, 1, 1, -1])  # the last is of a class that is not there
    thresholds = class_thresholds(scores, hits, labels, truths, 3)
    assert thresholds[0] == pytest.approx(0.85)
    assert thresholds[1] == thresholds[2] == thresholds[3] == pytest.approx(0.15)


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=15), st.integers(0, 5))
def test_no_other_threshold_has_a_better_f1(rows: Any, missed: int) -> None:
    scores, hits = np.array([row[0] / 10 for row in rows]), np.array([row[1] for row in rows], dtype=bool)
    actions = int(hits.sum()) + missed

    def f1(threshold: float) -> float:
        shown = scores >= threshold
        return float(2 * (hits & shown).sum() / max(shown.sum() + actions, 1))

    assert f1(best_threshold(scores, hits, actions)) == pytest.approx(max(f1(one / 20) for one in range(21)))
