from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.detections import Detections
from actionformer.inference.overlap import LEAST_LEFT, FreeTime, without_overlap

ROWS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8), st.integers(0, 1)), max_size=12)


def made(*rows: tuple[int, int, int]) -> Any:
    """Detections from (start, end, label), best first."""
    return Detections(
        np.array([row[:2] for row in rows], dtype=float).reshape(-1, 2),
        np.linspace(0.9, 0.1, len(rows)),
        np.array([row[2] for row in rows], dtype=np.int64),
        ("a", "b"),
    )


def rows_of(found: Any) -> Any:
    return [(*segment, label) for segment, label in zip(found.segments.tolist(), found.labels.tolist(), strict=True)]


def test_what_is_kept_stays_as_it_is() -> None:
    found = made((0, 10, 0), (5, 15, 0))
    assert without_overlap(found, "keep") is found


def test_one_action_at_a_time_worked_by_hand() -> None:
    found = made(
        (10, 20, 0),
        (18, 24, 1),  # starts when the better one ends: 4 of 6 s are left
        (8, 14, 1),  # 2 of 6 s are left: it goes
        (22, 40, 0),  # 16 of 18 s are left
        (30, 32, 1),  # lies within a better one
        (0, 45, 0),  # the longest free part is 10 of 45 s
        (5, 10, 1),  # touches only
    )
    assert rows_of(without_overlap(found, "none")) == [(10, 20, 0), (20, 24, 1), (24, 40, 0), (5, 10, 1)]


def test_one_action_of_a_class_at_a_time_worked_by_hand() -> None:
    found = made((10, 20, 0), (12, 22, 1), (18, 26, 0), (11, 19, 0))
    assert rows_of(without_overlap(found, "class")) == [(10, 20, 0), (12, 22, 1), (20, 26, 0)]


def test_a_long_action_around_a_short_better_one_keeps_its_longer_part() -> None:
    assert rows_of(without_overlap(made((6, 7, 1), (0, 10, 0)), "none")) == [(6, 7, 1), (0, 6, 0)]
    assert rows_of(without_overlap(made((4, 6, 1), (0, 10, 0)), "none")) == [(4, 6, 1)]


def test_scores_levels_and_names_stay() -> None:
    found = Detections(np.array([[0, 4], [3, 9]]), np.array([0.8, 0.5]), np.array([1, 0]), ("a", "b"), np.array([2, 3]))
    kept = without_overlap(found, "none")
    assert (kept.scores.tolist(), kept.levels.tolist(), kept.class_names) == ([0.8, 0.5], [2, 3], ("a", "b"))
    assert len(without_overlap(made(), "none")) == 0


@given(ROWS, st.sampled_from(["class", "none"]))
def test_nothing_overlaps_and_what_is_left_is_part_of_what_was(rows: Any, policy: Any) -> None:
    found = made(*((start, start + length, label) for start, length, label in rows))
    kept = without_overlap(found, policy)
    assert rows_of(without_overlap(kept, policy)) == rows_of(kept)
    for i, (segment, label) in enumerate(zip(kept.segments, kept.labels, strict=True)):
        for other, its in zip(kept.segments[:i], kept.labels[:i], strict=True):
            if policy == "none" or label == its:
                assert min(segment[1], other[1]) <= max(segment[0], other[0])
        (before,) = found.segments[found.scores == kept.scores[i]]
        assert before[0] <= segment[0] <= segment[1] <= before[1]
        assert segment[1] - segment[0] >= LEAST_LEFT * (before[1] - before[0])
    if len(found):
        assert rows_of(kept)[0] == rows_of(found)[0]


@pytest.mark.parametrize("policy", ["class", "none"])
def test_what_overlaps_nothing_stays(policy: Any) -> None:
    found = made((0, 1, 0), (1, 2, 0), (5, 5, 0), (7, 9, 1))
    assert rows_of(without_overlap(found, policy)) == rows_of(found)


def test_batches_worked_by_hand() -> None:
    free = FreeTime("none")
    assert rows_of(free.take(made((0, 4, 0), (6, 12, 1)))) == [(0, 4, 0), (6, 12, 1)]
    waiting = made((10, 20, 0), (6, 9, 0))  # what was told keeps its time: of the first 8 of 10 s are left
    assert rows_of(free.left_of(waiting)) == [(12, 20, 0)]
    assert rows_of(free.take(waiting)) == [(12, 20, 0)]
    assert rows_of(free.take(made((14, 30, 0), (11, 12, 0)))) == [(20, 30, 0)]


@given(ROWS, st.sampled_from(["keep", "class", "none"]))
def test_batches_in_the_order_of_time_overlap_as_little(rows: Any, policy: Any) -> None:
    free = FreeTime(policy)
    batches = [made(*((start, start + length, label) for start, length, label in rows if start // 7 == block))
               for block in range(3)]  # fmt: skip
    parts = [free.take(batch) for batch in batches]
    kept = [(tuple(segment), label) for part in parts
            for segment, label in zip(part.segments.tolist(), part.labels.tolist(), strict=True)]  # fmt: skip
    assert policy != "keep" or len(kept) == len(rows)
    for i, (segment, label) in enumerate(kept):
        for other, its in kept[:i]:
            if policy == "none" or (policy == "class" and label == its):
                assert min(segment[1], other[1]) <= max(segment[0], other[0])
