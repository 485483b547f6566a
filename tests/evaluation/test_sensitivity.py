from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import MakeAnnotations, MakeDetections

from actionformer.evaluation.characteristics import characteristics, quantiles
from actionformer.evaluation.mean_average_precision import average_precision_of_hits
from actionformer.evaluation.pairs import flatten_truths
from actionformer.evaluation.report import score
from actionformer.evaluation.sensitivity import find, sensitivities

HALF = np.array([0.5])


def test_normalised_precision_worked_by_hand() -> None:
    """Classes of 1 and 3 ground truths, N = 2; each has a miss, then a hit: precision 2 / 3, and (2/3) / (2/3 + 1)."""
    hits, labels, truths = np.array([[False, True, False, True]]), np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    (found,) = average_precision_of_hits(hits, labels, truths, normal=2.0)
    assert found.tolist() == pytest.approx([2 / 3, (2 / 3) / (2 / 3 + 1) / 3])
    (plain,) = average_precision_of_hits(hits, labels, truths)
    assert plain.tolist() == pytest.approx([1 / 2, 1 / 2 / 3])


@given(st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=12))
def test_where_classes_have_as_many_actions_nothing_changes(rows: Any) -> None:
    labels, hits = np.array([row[0] for row in rows], dtype=int), np.array([[row[1] for row in rows]], dtype=bool)
    truths = np.repeat([0, 1], 12)
    np.testing.assert_allclose(
        average_precision_of_hits(hits, labels, truths, normal=12.0), average_precision_of_hits(hits, labels, truths)
    )


def test_groups_of_ground_truths_worked_by_hand(make_annotations: MakeAnnotations) -> None:
    annotations = make_annotations({"v": [(0, 2, 0), (4, 5, 0), (6, 16, 1)], "w": [(0, 4, 0)]})
    truths, _ = flatten_truths(annotations)
    length, instances = characteristics(annotations, truths)  # no coverage: nobody says how long videos are
    assert (length.name, instances.name) == ("length", "instances")
    assert length.values.tolist() == [2, 1, 10, 4]
    assert instances.values.tolist() == [2, 2, 1, 1]
    assert instances.groups.tolist() == [1, 1, 0, 0]
    assert instances.names == ["up to 1", "2 to 4", "5 to 8", "over 8"]


def test_groups_are_of_like_size_and_none_is_empty() -> None:
    values = np.arange(1.0, 101.0)
    edges = quantiles(values)
    assert np.bincount(np.searchsorted(edges, values, side="left")).tolist() == [20] * 5
    assert quantiles(np.ones(9)) == ()
    assert quantiles(np.empty(0)) == ()


def test_what_is_missed_and_normalised_precision_of_groups(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    """The single action is found after a false positive; of the pair in w one is found before it."""
    annotations = make_annotations({"v": [(0, 10, 0)], "w": [(0, 10, 0), (20, 30, 0)]})
    found = find(
        annotations,
        make_detections({"w": [(0, 10, 0, 0.9), (50, 60, 0, 0.8)], "v": [(0, 10, 0, 0.7)]}),
        HALF,
    )
    *_, instances = sensitivities(annotations, found)
    alone, pair = instances.groups
    assert [(group.name, group.actions, group.missed) for group in instances.groups] == [
        ("up to 1", 1, 0.0),
        ("2 to 4", 2, 0.5),
    ]
    assert alone.normalized_map == pytest.approx(3 / 4)  # what finds the others takes no part: a miss, then all, N = 3
    assert pair.normalized_map == pytest.approx(1 / 2)
    assert instances.spread == pytest.approx(1 / 4)


def test_with_one_class_normalised_map_is_map(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    annotations = make_annotations({"v": [(0, 10, 0), (20, 30, 0)]})
    detections = make_detections({"v": [(0, 9, 0, 0.9), (40, 50, 0, 0.8), (20, 30, 0, 0.7)]})
    found = find(annotations, detections, np.array([0.5, 0.95]))
    assert found.normalized_map() == pytest.approx(score(annotations, detections, tiou=[0.5, 0.95]).average)
