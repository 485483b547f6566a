from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import MakeAnnotations, MakeDetections

from actionformer.core.segments import tiou
from actionformer.evaluation import diagnosis, mean_average_precision
from actionformer.evaluation.diagnosis import KINDS, LEAST_TIOU, Diagnosis, average_precision_by_video, diagnose
from actionformer.evaluation.report import score

TRUTH = {"v": [(0, 10, 0), (20, 30, 1), (40, 44, 0)], "w": [(0, 4, 2)]}
FOUND = {
    "v": [
        (0, 9, 0, 0.9),  # true: tIoU 0.9
        (0, 10, 0, 0.8),  # double: it overlaps more, but comes later
        (20, 30, 0, 0.7),  # class
        (24, 40, 1, 0.6),  # bounds: 6 of 20 s
        (60, 61, 1, 0.5),  # background
        (30, 39, 1, 0.4),  # background: touches only
    ],
    "elsewhere": [(0, 10, 0, 0.95)],
}
SEGMENT = st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(0, 2))


def kinds(diagnosis: Diagnosis, video: str) -> list[str]:
    return [KINDS[kind] for kind in diagnosis.of(video).kinds]


def counted(*of_kinds: int, found: int, missed: int) -> dict[str, int]:
    return dict(zip(KINDS, of_kinds, strict=True)) | {"found": found, "missed": missed}


def test_every_kind_of_a_case_worked_by_hand(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    diagnosis = diagnose(make_annotations(TRUTH), make_detections(FOUND), 0.5)
    one = diagnosis.of("v")
    assert kinds(diagnosis, "v") == [
        "true positive",
        "duplicate",
        "wrong label",
        "localization",
        "background",
        "background",
    ]
    assert one.matches.tolist() == [0, 0, 1, 1, -1, -1]
    np.testing.assert_allclose(one.tious, [0.9, 1.0, 1.0, 0.3, 0.0, 0.0])
    assert one.found.tolist() == [True, False, False]
    assert diagnosis.of("w").found.tolist() == [False]
    assert diagnosis.counts == counted(1, 1, 1, 1, 0, 3, found=1, missed=3)


def test_another_class_comes_before_bad_bounds_and_a_double_before_both(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    truth = make_annotations({"v": [(0, 10, 0), (0, 4, 1), (0, 9, 2)]})
    found = make_detections({"v": [(0, 10, 1, 0.9), (0, 4, 1, 0.8), (0, 4.5, 1, 0.7)]})
    assert kinds(diagnose(truth, found, 0.5), "v") == ["wrong label", "true positive", "duplicate"]
    assert kinds(diagnose(truth, found, 0.95), "v") == ["wrong label", "true positive", "localization"]


def test_confusion_is_a_bad_overlap_with_another_class_and_comes_last(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    truth = make_annotations({"v": [(0, 10, 0), (5, 40, 1)]})
    found = make_detections({"v": [(0, 3, 1, 0.9), (4, 12, 1, 0.8), (0, 0.9, 1, 0.7)]})
    diagnosis = diagnose(truth, found, 0.7)
    assert kinds(diagnosis, "v") == ["confusion", "localization", "background"]  # the second confuses too
    assert diagnosis.of("v").matches.tolist() == [0, 1, -1]
    assert diagnosis.of("v").tious[0] == pytest.approx(0.3)


def test_kinds_by_rank(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    """Class a has two ground truths: its best two detections are right and a duplicate, the next two are wrong."""
    truth = make_annotations({"v": [(0, 10, 0), (40, 44, 0)]})
    found = make_detections({"v": [(0, 10, 0, 0.9), (0, 9, 0, 0.8), (60, 70, 0, 0.7), (40, 44, 0, 0.6)]})
    first, second, third = diagnose(truth, found, 0.5).by_rank(3)
    assert (first["true positive"], first["duplicate"], first["background"]) == (0.5, 0.5, 0)
    assert (second["true positive"], second["duplicate"], second["background"]) == (0.5, 0.25, 0.25)
    assert second == third


def test_a_lower_threshold_turns_bad_bounds_into_hits(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    diagnosis = diagnose(make_annotations(TRUTH), make_detections(FOUND), 0.3)
    assert kinds(diagnosis, "v") == [
        "true positive",
        "duplicate",
        "wrong label",
        "true positive",
        "background",
        "background",
    ]
    assert diagnosis.of("v").found.tolist() == [True, True, False]


def test_counts_by_class_and_by_length(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    diagnosis = diagnose(make_annotations(TRUTH), make_detections(FOUND), 0.5)
    by_class = diagnosis.by_class()
    assert by_class["a"] == counted(1, 1, 1, 0, 0, 1, found=1, missed=1)
    assert by_class["b"] == counted(0, 0, 0, 1, 0, 2, found=0, missed=1)
    rows = diagnosis.by_length()
    assert [row["range"] for row in rows] == [[4.0, 8.0], [8.0, 16.0]]
    assert [(row["found"], row["missed"]) for row in rows] == [(0, 2), (1, 1)]
    assert [row["background"] for row in rows] == [1, 2]  # the one of 1 s counts with the shortest


def test_classes_are_compared_by_name_and_unknown_ones_are_background_or_another_class(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    found = make_detections({"v": [(0, 10, 0, 0.9), (50, 60, 0, 0.8), (0, 10, 1, 0.7)]}, class_names=("z", "a"))
    assert kinds(diagnose(make_annotations(TRUTH), found, 0.5), "v") == ["wrong label", "background", "true positive"]


def test_what_average_precision_would_gain_without_a_kind_of_error(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    """Class a (2 ground truths): elsewhere x, true, double, class x -> AP 1/2 / 2; b and c find nothing."""
    diagnosis = diagnose(make_annotations(TRUTH), make_detections(FOUND), 0.5)
    gains = diagnosis.gains()
    assert gains["background"] == pytest.approx((1 / 2 - 1 / 4) / 3)  # the one elsewhere stood before the hit
    assert gains["duplicate"] == gains["wrong label"] == gains["localization"] == 0  # they stand behind it
    assert gains["missed"] == pytest.approx(1 / 2 - 1 / 4 / 3)  # of a one action is left, b and c are not asked for
    assert diagnose(make_annotations({"v": []}), make_detections(FOUND), 0.5).gains() == {}


@given(truth=st.lists(SEGMENT, min_size=1, max_size=6, unique=True), found=st.lists(SEGMENT, max_size=8))
def test_gains_are_those_of_an_evaluation_without_these_detections(
    make_annotations: MakeAnnotations,
    make_detections: MakeDetections,
    truth: list[tuple[int, int, int]],
    found: list[tuple[int, int, int]],
) -> None:
    annotations = make_annotations({"v": [(start, start + length, label) for start, length, label in truth]})
    rows = [(start, start + length, label, 1 - 0.1 * i) for i, (start, length, label) in enumerate(found)]
    diagnosis = diagnose(annotations, make_detections({"v": rows}), 0.5)
    reached = score(annotations, make_detections({"v": rows}), tiou=(0.5,)).map[0]
    for kind, gain in diagnosis.gains().items():
        if kind != "missed":
            left = [row for row, one in zip(rows, kinds(diagnosis, "v"), strict=True) if one != kind]
            without = score(annotations, make_detections({"v": left}), tiou=(0.5,)).map[0]
            assert gain == pytest.approx(without - reached, abs=1e-12)
            assert gain >= 0


@pytest.mark.parametrize("videos", [{}, {"v": []}])
def test_no_detections_means_all_missed(
    make_annotations: MakeAnnotations, make_detections: MakeDetections, videos: Any
) -> None:
    diagnosis = diagnose(make_annotations(TRUTH), make_detections(videos), 0.5)
    assert diagnosis.counts["missed"] == 4
    assert sum(row["missed"] for row in diagnosis.by_length()) == 4


def test_no_ground_truth_means_all_background(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    diagnosis = diagnose(make_annotations({"v": []}), make_detections(FOUND), 0.5)
    assert diagnosis.counts["background"] == 7
    assert diagnosis.by_length() == []


@given(
    truth=st.lists(SEGMENT, max_size=6, unique=True),
    found=st.lists(SEGMENT, max_size=8),
    threshold=st.sampled_from([0.05, 0.3, 0.5, 0.9]),
)
def test_kinds_keep_their_promises(
    make_annotations: MakeAnnotations,
    make_detections: MakeDetections,
    truth: list[tuple[int, int, int]],
    found: list[tuple[int, int, int]],
    threshold: float,
) -> None:
    annotations = make_annotations({"v": [(start, start + length, label) for start, length, label in truth]})
    rows = [(start, start + length, label, 1 - 0.01 * i) for i, (start, length, label) in enumerate(found)]
    detections = make_detections({"v": rows})
    diagnosis = diagnose(annotations, detections, threshold)
    one = diagnosis.of("v")
    overlap = tiou(detections["v"].segments, one.segments)
    same = detections["v"].labels[:, None] == one.labels
    for row, kind in enumerate(kinds(diagnosis, "v")):
        reached = (overlap[row] >= threshold) & same[row]
        assert reached.any() == (kind in ("true positive", "duplicate"))
        if kind != "background":
            assert overlap[row, one.matches[row]] == pytest.approx(one.tious[row])
            assert same[row, one.matches[row]] == (kind not in ("wrong label", "confusion"))
        else:
            assert overlap[row].max(initial=0) < LEAST_TIOU or threshold < LEAST_TIOU
    true = one.matches[one.kinds == KINDS.index("true positive")]
    assert sorted(true) == np.flatnonzero(one.found).tolist()


def test_precision_of_a_video_is_that_of_evaluating_it_alone(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    thresholds = np.array([0.3, 0.5])
    annotations, found = make_annotations(TRUTH), make_detections(FOUND)
    alone = average_precision_by_video(annotations, found, thresholds)
    for video in TRUTH:
        only = make_annotations({video: TRUTH[video]})
        kept = {name: one for name, one in found.items() if name == video}
        np.testing.assert_allclose(alone[video], score(only, kept, tiou=[0.3, 0.5]).map)
    assert average_precision_by_video(make_annotations({"v": []}), found, thresholds) == {}


def test_precision_by_video_is_the_same_in_blocks_of_any_size(
    make_annotations: MakeAnnotations, make_detections: MakeDetections, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    starts = {f"v{i}": range(0, 10 * (i % 4), 10) for i in range(9)}
    truth = {video: [(start, start + 5, int(rng.integers(3))) for start in own] for video, own in starts.items()}
    found = {
        f"v{i}": [(start, start + 6, int(rng.integers(3)), rng.random()) for start in range(0, 40, 2)]
        for i in range(1, 12)
    }
    given = make_annotations(truth), make_detections(found), np.array([0.1, 0.5])
    whole = average_precision_by_video(*given)
    assert list(whole) == [video for video, actions in truth.items() if actions]
    evaluated: list[int] = []
    once = mean_average_precision.average_precision

    def counted(*arguments: Any) -> Any:
        evaluated.append(1)
        return once(*arguments)

    monkeypatch.setattr(diagnosis, "average_precision", counted)
    for block, times in ((1000, 1), (40, 5), (1, 9)):
        monkeypatch.setattr(diagnosis, "BLOCK", block)
        evaluated.clear()
        parts = average_precision_by_video(*given)
        assert len(evaluated) == times
        assert list(parts) == list(whole)
        for video, figures in whole.items():
            np.testing.assert_array_equal(parts[video], figures)
            own = make_detections({video: found.get(video, [])})
            alone = score(make_annotations({video: truth[video]}), own, tiou=[0.1, 0.5])
            np.testing.assert_allclose(figures, alone.map)
