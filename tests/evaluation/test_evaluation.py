"""Cases worked by hand, published numbers, and mistakes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged import MakeAnnotations, MakeDetections

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.evaluation.report import score
from actionformer.formats.annotations import read_annotations

# ---- by hand


def test_average_precision_by_hand(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    annotations = make_annotations({"v": [(0, 10, 0), (20, 30, 0)], "w": [(0, 10, 0)]})
    detections = make_detections(
        {
            "v": [
                (0, 10, 0, 0.9),
                (0, 9, 0, 0.8),
                (20, 28, 0, 0.6),
            ],  # hit, second on the same: miss, hit (0.8)
            "w": [(5, 15, 0, 0.7), (0, 6, 0, 0.5)],  # tIoU 1/3, then 0.6
        }
    )
    # at 0.5: hit miss miss hit hit -> precision 1, 2/4, 3/5; from the right 1, 3/5, 3/5
    # at 0.7: hit miss miss hit miss -> 1, 1/2 of three ground truths
    # at 0.3: hit miss hit hit miss -> 1, 3/4, 3/4
    report = score(annotations, detections, tiou=[0.3, 0.5, 0.7])
    assert report.per_class == {"a": pytest.approx([2.5 / 3, 2.2 / 3, 1.5 / 3])}
    assert report.map == pytest.approx((2.5 / 3, 2.2 / 3, 1.5 / 3))
    assert report.average == pytest.approx(6.2 / 9)


def test_the_better_detection_takes_and_the_other_falls_back(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    annotations = make_annotations({"v": [(0, 10, 0), (2, 12, 0)]})
    detections = make_detections({"v": [(1.5, 11.5, 0, 0.5), (2, 12, 0, 0.9)]})
    # both prefer the second; the weaker one falls back to the first: 8.5 / 11.5 = 0.739
    assert score(annotations, detections, tiou=[0.7, 0.8]).per_class["a"] == pytest.approx([1.0, 0.5])


def test_a_detection_elsewhere_is_a_false_positive(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    annotations = make_annotations({"v": [(0, 10, 0)], "background": []})
    for video in ("background", "unknown"):
        detections = make_detections({"v": [(0, 10, 0, 0.5)], video: [(0, 10, 0, 0.9)]})
        assert score(annotations, detections, tiou=[0.5]).map == (0.5,)


def test_a_threshold_is_reached_when_equal(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    annotations = make_annotations({"v": [(0, 10, 0)]})
    assert score(annotations, make_detections({"v": [(0, 5, 0, 0.5)]}), tiou=[0.5]).map == (1.0,)


def test_classes_that_no_ground_truth_has_are_ignored(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    annotations = make_annotations({"v": [(0, 10, 0)], "w": [(0, 5, 0)]})
    detections = make_detections({"v": [(0, 10, 0, 0.5), (0, 10, 1, 0.9)], "w": [(0, 5, 0, 0.4), (0, 9, 2, 0.8)]})
    report = score(annotations, detections, tiou=[0.5])
    assert report.map == (1.0,)
    assert report.recall_at_kx == {"1": [1.0], "5": [1.0]}
    assert report.counts.unknown_class == 2


def test_a_class_without_detections_counts_as_zero(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    annotations = make_annotations({"v": [(0, 10, 0), (0, 10, 2)]})
    report = score(annotations, make_detections({"v": [(0, 10, 0, 0.5)]}), tiou=[0.5])
    assert report.per_class == {"a": [1.0], "c": [0.0]}
    assert report.map == (0.5,)


def test_labels_are_compared_by_name(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    annotations = make_annotations({"v": [(0, 10, 0), (20, 30, 1)]}, class_names=("a", "b"))
    detections = make_detections({"v": [(0, 10, 1, 0.5), (20, 30, 0, 0.5)]}, class_names=("b", "a"))
    assert score(annotations, detections, tiou=[0.9]).average == 1.0


def test_repeats_and_moments_are_removed(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    annotations = make_annotations(
        {
            "v": [(0, 10, 0), (0.0009, 9.9995, 0), (0, 10, 1), (5, 5.0005, 0), (0.0018, 10, 0)],
            "w": [(0, 10, 0)],
        }
    )
    report = score(annotations, make_detections({"v": [(0, 10, 0, 0.9), (0, 10, 1, 0.9)]}), tiou=[0.5])
    # the last one in v is near a repeat only, and stays
    assert report.counts.removed_ground_truths == 2
    assert report.counts.ground_truths == 4
    assert report.per_class == {"a": pytest.approx([1 / 3]), "b": [1.0]}


def test_recall_at_kx_by_hand(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    annotations = make_annotations({"v": [(0, 10, 0), (20, 30, 0)], "w": [(0, 10, 0), (0, 10, 1)]})
    detections = make_detections(
        {
            "v": [(0, 10, 0, 0.9), (0, 9, 0, 0.8), (20, 28, 0, 0.6)],  # k = 1 keeps 2 of 3
            "w": [(20, 30, 0, 0.9), (0, 6, 0, 0.5), (0, 10, 2, 0.99)],  # k = 1 keeps 1 of 2
        }
    )
    report = score(annotations, detections, tiou=[0.5, 0.7, 0.9], recall_at=(1, 2))
    assert report.recall_at_kx["1"] == pytest.approx([1 / 6, 1 / 6, 1 / 6])  # class b: 0
    assert report.recall_at_kx["2"] == pytest.approx([3 / 6, 2 / 6, 1 / 6])


def test_one_detection_recalls_several(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    annotations = make_annotations({"v": [(0, 10, 0), (1, 10, 0)]})
    report = score(annotations, make_detections({"v": [(0, 10, 0, 0.5)]}), tiou=[0.5])
    assert report.recall_at_kx["1"] == [1.0]
    assert report.map == (0.5,)


def test_average_recall_by_hand(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    annotations = make_annotations({"v": [(0, 10, 0)], "w": [(0, 10, 1)]})
    # 8 proposals in 2 videos: an average of n means the best n of 6 * n / 4 and n of 2 * n / 4
    misses = [(50, 60, 0, 0.1 * i) for i in range(1, 5)]
    detections = make_detections(
        {"v": [(0, 10, 2, 0.95), *misses, (0, 7, 0, 0.05)], "w": [(0, 8, 0, 0.9), (0, 10, 0, 0.1)]}
    )
    recall = score(annotations, detections).average_recall
    # n = 1: v gives 1 of 6 (all 10 thresholds), w 0 of 2. From n = 2 w gives its first: tIoU 0.8 passes 7
    # thresholds. From n = 4 all: w passes 10.
    assert recall["1"] == pytest.approx(0.5)
    assert recall["5"] == recall["100"] == 1.0
    assert recall["auc"] == pytest.approx((0.5 / 2 + 2 * 0.85 + 96 + 0.5) / 100)


# ---- published numbers


@pytest.mark.parametrize("name", ["thumos_style", "anet_style"])
def test_equals_the_published_evaluator(shared: Path, name: str) -> None:
    folder = shared / "parity" / "evaluation" / name
    expected = json.loads((folder / "expected.json").read_text())
    report = score(
        folder / "ground_truth.json",
        folder / "detections.json",
        subset=expected["split"],
        tiou=expected["tiou_thresholds"],
        recall_at=expected["recall_top_kx"]["k"],
    )
    np.testing.assert_allclose(report.map, expected["mAP"], atol=1e-9)
    assert report.average == pytest.approx(expected["average_mAP"], abs=1e-9)
    names = read_annotations(folder / "ground_truth.json").class_names
    per_class = np.array([report.per_class[one] for one in names]).T
    np.testing.assert_allclose(per_class, expected["per_class_AP"], atol=1e-9)
    recall = np.array(list(report.recall_at_kx.values())).T
    np.testing.assert_allclose(recall, expected["recall_top_kx"]["values"], atol=1e-9)
    assert report.counts.outside_subset > 0
    assert "outside the evaluated subset" in report.warnings[0]


def test_equals_the_published_thumos14_figures(shared: Path) -> None:
    annotations = read_annotations(shared / "data/thumos14/thumos14.json")
    with np.load(shared / "data/thumos14/published_detections.npz") as file:
        arrays = dict(file)
    segments = np.stack([arrays["start"], arrays["end"]], axis=1)
    detections = {}
    for video in np.unique(arrays["video"]):
        rows = arrays["video"] == video
        detections[str(video)] = Detections(
            segments[rows], arrays["score"][rows], arrays["label_id"][rows], annotations.class_names
        )
    report = score(annotations, detections, subset="test")
    np.testing.assert_allclose(100 * np.array(report.map), [82.13, 77.80, 70.95, 59.40, 43.88], atol=0.02)
    assert 100 * report.average == pytest.approx(66.83, abs=0.02)


# ---- mistakes


def test_a_subset_that_no_video_has(make_annotations: MakeAnnotations) -> None:
    with pytest.raises(InputError, match="no video in subset 'val'; there are test"):
        score(make_annotations({"v": [(0, 1, 0)]}), {}, subset="val")


def test_nothing_to_compare_with(make_annotations: MakeAnnotations) -> None:
    with pytest.raises(InputError, match="no action in the 2 videos to evaluate on"):
        score(make_annotations({"v": [(1, 1, 0)], "w": []}), {})


def test_no_detections_at_all(make_annotations: MakeAnnotations) -> None:
    report = score(make_annotations({"v": [(0, 1, 0)]}), {})
    assert report.average == 0.0
    assert report.counts.videos_without_detections == 1


@pytest.mark.parametrize("k", [0, -1, 1.5])
def test_a_k_that_makes_no_sense(make_annotations: MakeAnnotations, k: Any) -> None:
    with pytest.raises(InputError, match=f"recall_at: expected whole numbers from 1 on, found {k}"):
        score(make_annotations({"v": [(0, 1, 0)]}), {}, recall_at=[k])
