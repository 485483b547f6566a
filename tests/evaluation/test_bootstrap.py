from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged import MakeAnnotations, MakeDetections

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.evaluation.bootstrap import WeightedMap, compare, confidence, draws
from actionformer.evaluation.report import score
from actionformer.evaluation.sensitivity import find

THRESHOLDS = np.array([0.3, 0.5])
SPAN = st.tuples(st.integers(0, 12), st.integers(1, 6), st.integers(0, 2))
VIDEO = st.tuples(st.lists(SPAN, max_size=4, unique=True), st.lists(SPAN, max_size=6))


def world(make_annotations: MakeAnnotations, make_detections: MakeDetections, videos: Any) -> Any:
    """Annotations and detections of videos given as (truths, detections), no two of one score."""
    count, number = sum(len(found) for _, found in videos), 0
    truth: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for i, (actions, detections) in enumerate(videos):
        truth[f"v{i}"] = [(start, start + length, label) for start, length, label in actions]
        found[f"v{i}"] = []
        for start, length, label in detections:
            number += 1
            found[f"v{i}"].append(
                (start, start + length, label, (number * 7 % (count + 1)) / (count + 1) + number * 1e-6)
            )
    return make_annotations(truth), make_detections(found)


def copies(annotations: Any, detections: Any, weights: Any) -> Any:
    """Every video as often as it is drawn."""
    names = [
        (name, f"{name} {i}") for name, weight in zip(annotations.videos, weights, strict=True) for i in range(weight)
    ]
    videos = {copy: annotations.videos[name] for name, copy in names}
    return Annotations(videos, annotations.class_names), {copy: detections[name] for name, copy in names}


@settings(max_examples=150)
@given(videos=st.lists(VIDEO, min_size=1, max_size=4), drawn=st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_draw_is_worth_what_all_its_copies_are(
    make_annotations: MakeAnnotations, make_detections: MakeDetections, videos: Any, drawn: Any
) -> None:
    annotations, detections = world(make_annotations, make_detections, videos)
    weights = np.array(drawn[: len(videos)])
    found = find(annotations, detections, THRESHOLDS) if any(actions for actions, _ in videos) else None
    drawn_actions = any(actions and weight for (actions, _), weight in zip(videos, weights, strict=True))
    if found is None or not drawn_actions:
        return
    annotated, detected = copies(annotations, detections, weights)
    all_copies = score(annotated, detected, tiou=THRESHOLDS.tolist())
    assert WeightedMap(found, len(videos))(weights) == pytest.approx(all_copies.average, abs=1e-12)


def test_draws_are_of_as_many_videos_and_the_same_each_time() -> None:
    first = draws(np.arange(7), 50)
    assert (first.sum(axis=1) == 7).all()
    np.testing.assert_array_equal(first, draws(np.arange(7), 50))
    assert not np.array_equal(first, draws(np.arange(7), 50, seed=1))


def test_a_group_is_drawn_whole() -> None:
    drawn = draws(np.array([0, 1, 0, 2]), 50)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 2])
    assert (drawn[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(drawn, axis=0)) > 3


@pytest.fixture
def two(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> Any:
    """Thirty videos of one action, and two runs: the second finds three more."""
    truth = make_annotations({f"v{i}": [(0, 10, 0)] for i in range(30)})
    runs = [
        make_detections({f"v{i}": [(0 if i < right else 20, 10 if i < right else 30, 0, 0.9)] for i in range(30)})
        for right in (15, 18)
    ]
    return truth, *(find(truth, run, THRESHOLDS) for run in runs)


def test_an_interval_lies_around_the_value(two: Any) -> None:
    _, first, _ = two
    interval = confidence(first, np.arange(30))
    assert interval.low < interval.value < interval.high
    assert interval.value == pytest.approx(score(two[0], {}, tiou=[0.3]).average + first.normalized_map(), abs=0.01)
    assert confidence(first, np.arange(30)) == interval


def test_pairs_tell_more_than_two_intervals(two: Any) -> None:
    _, first, second = two
    found = compare(first, second, np.arange(30))
    assert found.difference.value > 0
    assert found.difference.low >= 0  # the intervals of the two overlap by far
    assert confidence(first, np.arange(30)).high > confidence(second, np.arange(30)).low
    assert found.p == pytest.approx(2 * 0.9**30, abs=0.06)  # that none of the three is drawn
    back = compare(second, first, np.arange(30))
    assert back.difference.value == -found.difference.value
    assert back.p == found.p


def test_the_same_run_twice_is_no_difference(two: Any) -> None:
    assert compare(two[1], two[1], np.arange(30)).p == 1


def test_other_ground_truths_are_refused(
    two: Any, make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    other = find(make_annotations({"v0": [(0, 10, 0)]}), make_detections({}), THRESHOLDS)
    with pytest.raises(InputError, match="same ground truths"):
        compare(two[1], other, np.arange(30))
