"""Calibration: made detections whose chance to be right is known, and the authors' detections of THUMOS14."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged import MakeAnnotations, MakeDetections

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.data.groups import Groups, groups_of
from actionformer.evaluation.calibration import calibrate, outcomes, reliability
from actionformer.evaluation.report import score
from actionformer.formats.annotations import read_annotations


@pytest.fixture(scope="module")
def made(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> Any:
    """60 videos of ten actions; a detection on the i-th slot scores s and is right with the chance s squared."""
    rng = np.random.default_rng(0)
    truth, found = {}, {}
    for video in range(60):
        chances = rng.random(40)
        right = rng.random(40) < chances**2
        slots = [(10 * i, 10 * i + 5, int(i % 2)) for i in range(40)]
        truth[f"v{video:02}"] = [slot for slot, hit in zip(slots, right, strict=True) if hit]
        found[f"v{video:02}"] = [(*slot, s) for slot, s in zip(slots, chances.tolist(), strict=True)]
    return make_annotations(truth), make_detections(found)


def test_a_score_becomes_the_chance_to_be_right(made: Any) -> None:
    measured = calibrate(*made)
    scores = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(measured.curve.probability(scores), scores**2, atol=0.11)
    assert measured.before.error > 0.14  # the mean of s - s * s is 1/6
    assert measured.after.error < measured.before.error / 4


def test_the_threshold_is_half_of_the_best_f1(made: Any) -> None:
    """So it is for probabilities (Lipton et al., Thresholding Classifiers to Maximize F1 Score, 2014)."""
    overall = calibrate(*made).overall
    assert overall.threshold == pytest.approx(overall.f1 / 2, abs=0.1)
    assert overall.actions == sum(len(video.labels) for video in made[0].videos.values())


def test_precision_and_recall_hold_on_other_videos(made: Any, make_annotations: MakeAnnotations) -> None:
    annotations, detections = made
    first = {name: video for name, video in annotations.videos.items() if name < "v30"}
    half = type(annotations)(first, annotations.class_names)
    measured = calibrate(half, {name: detections[name] for name in first})
    shown = right = actions = 0
    for name, found in detections.items():
        if name in first:
            continue
        calibrated = measured.calibrated(found)
        kept = calibrated[calibrated.scores >= measured.thresholds(found.class_names)[found.labels]]
        truth = {tuple(one) for one in annotations.videos[name].segments.tolist()}
        shown, actions = shown + len(kept), actions + len(truth)
        right += sum(tuple(one) in truth for one in kept.segments.tolist())
    assert right / shown == pytest.approx(measured.overall.precision, abs=0.05)
    assert right / actions == pytest.approx(measured.overall.recall, abs=0.05)


def test_average_precision_does_not_change(made: Any) -> None:
    annotations, detections = made
    measured = calibrate(annotations, detections)
    calibrated = {name: measured.calibrated(found) for name, found in detections.items()}
    assert score(annotations, calibrated).per_class == score(annotations, detections).per_class


def test_scores_may_be_above_1(made: Any) -> None:
    """The same detections with three times their scores have the same probabilities, in the same order."""
    annotations, detections = made
    higher = {
        name: Detections(found.segments, 3 * found.scores, found.labels, found.class_names)
        for name, found in detections.items()
    }
    measured, as_they_were = calibrate(annotations, higher), calibrate(annotations, detections)
    scores = np.linspace(0.05, 0.95, 10)
    found, expected = measured.curve.probability(3 * scores), as_they_were.curve.probability(scores)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert measured.overall.right == as_they_were.overall.right
    calibrated = {name: measured.calibrated(found) for name, found in higher.items()}
    assert score(annotations, calibrated).per_class == score(annotations, detections).per_class


def test_detections_elsewhere_do_not_count_and_those_of_absent_classes_are_wrong(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    truth = make_annotations({"v": [(0, 10, 0)], "w": []})
    found = make_detections({"v": [(0, 10, 0, 0.9), (0, 10, 1, 0.8)], "w": [(0, 10, 0, 0.7)], "z": [(0, 10, 0, 0.6)]})
    seen = outcomes(truth, found, 0.5)
    assert seen.scores.tolist() == [0.9, 0.8, 0.7]
    assert seen.hits.tolist() == [True, False, False]
    assert seen.labels.tolist() == [0, -1, 0]
    assert seen.folds.tolist() == [0, 0, 1]


def test_a_group_is_measured_with_what_other_groups_say(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    """The scores of each of three people are right from another one on, which the others do not know."""
    truth: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for person, least in enumerate((0.2, 0.5, 0.8)):
        for day in range(4):
            slots = [(10 * i, 10 * i + 5, 0) for i in range(10)]
            scores = [least - 0.1 if i % 2 else least + 0.1 for i in range(10)]
            found[f"P{person}_{day}"] = [(*slot, s) for slot, s in zip(slots, scores, strict=True)]
            truth[f"P{person}_{day}"] = slots[::2]
    annotations, detections = make_annotations(truth), make_detections(found)
    groups = groups_of(annotations)
    parts = outcomes(annotations, detections, 0.5, groups).folds.reshape(3, 40)
    assert [len(set(row)) for row in parts.tolist()] == [1, 1, 1]
    assert len(np.unique(parts)) == 3
    alone = Groups({id_: id_ for id_ in truth}, None)
    by_group, by_video = (calibrate(annotations, detections, groups=one) for one in (groups, alone))
    assert (by_group.groups, by_video.groups) == (3, 0)
    assert by_group.overall.f1 < by_video.overall.f1 - 0.1
    assert by_group.overall.threshold == by_video.overall.threshold, "what is kept is fitted to all"


def test_bins_of_a_reliability_curve() -> None:
    curve = reliability(np.array([0.01, 0.03, 1.0]), np.array([False, True, True]))
    assert curve.counts == (2, 1)
    np.testing.assert_allclose(curve.scores, [0.02, 1.0])
    np.testing.assert_allclose(curve.right, [0.5, 1.0])


def test_too_few_actions_and_nothing_right_are_refused(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    few = make_annotations({"v": [(0, 10, 0)], "w": [(0, 10, 0)]})
    with pytest.raises(InputError, match="2 actions in 2 videos: too few to calibrate on, it takes 20 actions"):
        calibrate(few, make_detections({"v": [(0, 10, 0, 0.9)]}))
    many = make_annotations({name: [(10 * i, 10 * i + 5, 0) for i in range(10)] for name in "vw"})
    with pytest.raises(InputError, match=r"no detection is right at a tIoU of 0\.7"):
        calibrate(many, make_detections({"v": [(0, 100, 0, 0.9)]}), tiou=0.7)


def test_the_error_of_published_detections_falls_to_less_than_half(shared: Path) -> None:
    with np.load(shared / "data" / "thumos14" / "published_detections.npz") as arrays:
        rows = {name: arrays[name] for name in arrays.files}
    annotations = read_annotations(shared / "data" / "thumos14" / "thumos14.json").subset("test")
    segments = np.stack([rows["start"], rows["end"]], axis=1)
    detections = {
        str(video): Detections(segments[own], rows["score"][own], rows["label_id"][own], annotations.class_names)
        for video in np.unique(rows["video"])
        for own in [rows["video"] == video]
    }
    measured = calibrate(annotations, detections)
    assert measured.before.error == pytest.approx(0.068, abs=0.001)
    assert measured.after.error < 0.005
    assert measured.overall.f1 > 0.77
