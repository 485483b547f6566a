from dataclasses import replace
from typing import Any

import pytest
from judged import annotations_of, detections_of

from actionformer.core.annotations import Annotations
from actionformer.evaluation.limits import Evidence, limits

SHORT = [(10.0 * i, 10.0 * i + 1, 0) for i in range(12)]
LONG = [(200.0 + 30 * i, 220.0 + 30 * i, 0) for i in range(24)]


def known(truth: Annotations, found: list[tuple[float, float, int, float]], **more: Any) -> Evidence:
    """What is known of a model whose detections are all shown."""
    detections = detections_of({"v": found})
    facts: dict[str, Any] = {
        "ap": {"a": 0.5},
        "learned": {"a": 100},
        "course": [(5, 0.5)],
        "epochs": 30,
        "stride": 4.0,
        "repeat_rare": 0.0,
        "feature_dropout": 0.2,
        "tiou": 0.5,
    }
    return Evidence(truth, detections, detections, **(facts | more))


def said(evidence: Evidence) -> list[str]:
    return [f"{one.what} > {one.advice}" for one in limits(evidence)]


def test_nothing_stands_out() -> None:
    """All is found, nothing else is detected."""
    assert said(known(annotations_of({"v": SHORT}), [(*row, 0.9) for row in SHORT])) == []


def test_misses_of_short_actions() -> None:
    """Of 36 actions the 12 short ones are missed."""
    lines = said(known(annotations_of({"v": SHORT + LONG}), [(*row, 0.9) for row in LONG]))
    assert lines[0].startswith(
        "Misses cost most: 12 of 36 actions are not found; without them mAP at tIoU 0.5 would be 33.3"
    )
    assert lines[1] == (
        "Actions of up to 1 s are found in 0% of cases, others in 100%. > "
        "take features closer together: `extract --stride 2`, or `--data.stride 2` with `train --videos`"
    )


@pytest.mark.parametrize(
    ("stride", "advice"),
    [
        (25.0, "take features closer together: `extract --stride 12`, or `--data.stride 12` with `train --videos`"),
        (3.0, "take features closer together: `extract --stride 1`, or `--data.stride 1` with `train --videos`"),
        (1.0, "label more of these"),
        (None, "take features closer together"),
    ],
)
def test_a_stride_is_a_whole_number_of_frames(stride: float | None, advice: str) -> None:
    evidence = known(annotations_of({"v": SHORT + LONG}), [(*row, 0.9) for row in LONG], stride=stride)
    assert said(evidence)[1].endswith(f"> {advice}")


def test_misses_of_long_actions_have_advice_that_the_detector_knows() -> None:
    evidence = known(annotations_of({"v": SHORT + LONG}), [(*row, 0.9) for row in SHORT])
    assert said(evidence)[1].endswith("others in 100%. > label more of these")
    windows = replace(evidence, for_long="raise data.window")
    assert said(windows)[1].endswith("others in 100%. > raise data.window")


def test_inexact_ends_with_features_of_every_frame() -> None:
    moved = [(start + 0.6, end + 0.6, 0, 0.95) for start, end, _ in SHORT[:6]]
    evidence = known(annotations_of({"v": SHORT}), [*((*row, 0.9) for row in SHORT), *moved], stride=1.0)
    assert said(evidence)[0].endswith("> label starts and ends by one rule")


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ([(500.0 + 2 * i, 501.0 + 2 * i, 0) for i in range(6)], "False alarms cost most: 6 of 18 shown detections lie"),
        ([(start, end, 0) for start, end, _ in SHORT[:6]], "Repeats cost most: 6 of 18 shown detections are of an"),
        ([(start + 0.6, end + 0.6, 0) for start, end, _ in SHORT[:6]], "Inexact starts and ends cost most: 6 of 18"),
    ],
)
def test_kinds_of_error(extra: list[tuple[float, float, int]], kind: str) -> None:
    """Twelve are found; six better scored detections are wrong."""
    found = [(*row, 0.5) for row in SHORT] + [(*row, 0.9) for row in extra]
    if kind.startswith("Repeats"):
        found = [(*row, 0.9) for row in SHORT] + [(*row, 0.9) for row in extra]
        found[6:12] = [(*row, 0.1) for row in SHORT[6:]]
    assert said(known(annotations_of({"v": SHORT}), found))[0].startswith(kind)


def test_misses_at_any_score_are_told_from_those_that_people_see() -> None:
    """Of 36 actions the 12 short ones are missed, and half of the others are found too faintly to be shown."""
    evidence = known(annotations_of({"v": SHORT + LONG}), [(*row, 0.9) for row in LONG])
    few = detections_of({"v": [(*row, 0.9) for row in LONG[:12]]})
    assert (
        "24 of 36 actions are not found; without the 12 that are found at no score mAP"
        in said(replace(evidence, shown=few))[0]
    )


def test_errors_that_nobody_is_shown_are_not_named() -> None:
    """The false alarms cost most, and none of them is shown; nor is anything else, so all is missed."""
    found = [(*row, 0.1) for row in SHORT] + [(500.0 + 2 * i, 501.0 + 2 * i, 0, 0.2) for i in range(6)]
    evidence = known(annotations_of({"v": SHORT}), found)
    (line,) = said(replace(evidence, shown=detections_of({"v": []})))
    assert line.startswith(
        "Nothing that the model finds reaches the score from which on people are shown it: 12 actions"
    )


def test_what_people_see_most_often_where_nothing_costs_much() -> None:
    """Two repeats of low score cost no mAP, as all is found before; two in twelve is often."""
    found = [(*row, 0.9) for row in SHORT] + [(*row, 0.1) for row in SHORT[:2]]
    (line,) = said(known(annotations_of({"v": SHORT}), found))
    assert line.startswith("Repeats are the most frequent error: 2 of 14 shown detections are of an action that ")
    assert "without them" not in line


def test_classes_that_are_taken_for_another() -> None:
    truth = annotations_of({"v": [*SHORT, (300.0, 301.0, 1), (310.0, 311.0, 1)]}, ("jump", "run", "c"))
    found = [(*row, 0.5) for row in SHORT] + [(300.0, 301.0, 0, 0.9), (310.0, 311.0, 0, 0.8)]
    detections = detections_of({"v": [*found, (300.0, 301.0, 1, 0.2), (310.0, 311.0, 1, 0.2)]}, ("jump", "run", "c"))
    evidence = Evidence(
        truth,
        detections,
        detections,
        {"jump": 0.5},
        {"jump": 50},
        [(1, 0.1)],
        epochs=3,
        stride=None,
        repeat_rare=0,
        feature_dropout=0,
        tiou=0.5,
    )
    assert said(evidence)[0].startswith("Wrong classes cost most: run is taken for jump 2 times; without them")


def test_detections_of_a_class_that_nothing_was_annotated_with() -> None:
    """All twelve are found, and two of them are shown again as of a class that the annotations do not know."""
    truth = annotations_of({"v": SHORT}, ("a",))
    rows = [(*row, 0.9) for row in SHORT] + [(start, end, 1, 0.5) for start, end, _ in SHORT[:2]]
    found = detections_of({"v": rows}, ("a", "z"))
    (line,) = said(replace(known(truth, []), detections=found, shown=found))
    assert line.startswith(
        "Wrong classes are the most frequent error: 2 shown detections of an action have a class that no "
        "held-out video has. > "
    )


def test_too_short_and_too_long_a_training() -> None:
    truth, found = annotations_of({"v": SHORT}), [(*row, 0.9) for row in SHORT]
    rising = said(known(truth, found, course=[(10, 0.30), (35, 0.40)]))
    assert rising == ["mAP still rose at the end, from 30.0 at epoch 10 to 40.0. > train longer: --training.epochs 60"]
    falling = said(known(truth, found, course=[(15, 0.45), (35, 0.40)]))
    assert falling == [
        "The model was better before: mAP 45.0 at epoch 15, 40.0 at the end. > "
        "train for less long, --training.epochs 10, or add --data.feature-dropout 0.2"
    ]
    (line,) = said(known(truth, found, course=[(15, 0.45), (35, 0.40)], feature_dropout=0.0))
    assert line.endswith("--training.epochs 10"), "where there is some, no other is advised"
    assert said(known(truth, found, course=[(30, 0.395), (35, 0.40)])) == []


def test_classes_with_few_examples() -> None:
    truth, found = annotations_of({"v": SHORT}), [(*row, 0.9) for row in SHORT]
    lines = said(known(truth, found, ap={"a": 0.8, "b": 0.1, "c": 0.0}, learned={"a": 90, "b": 9}))
    assert lines == [
        "Classes with fewer than 20 examples to learn from have an AP of 5.0 on average, the others of 80.0: "
        "c (0), b (9). > label more of these"
    ]
    again = said(known(truth, found, ap={"a": 0.8, "b": 0.1}, learned={"a": 90, "b": 9}, repeat_rare=0.3))
    assert again[0].endswith("> label more of these, or repeat their videos: --training.repeat-rare 0.3")
    assert said(known(truth, found, ap={"a": 0.8, "b": 0.5}, learned={"a": 90, "b": 9})) == []
    assert said(known(truth, found, ap={"a": 0.8, "b": 0.1}, learned={"a": 9, "b": 9})) == []


@pytest.mark.parametrize(("dropout", "advice"), [(0.2, "add --data.feature-dropout 0.2"), (0.0, "label more videos")])
def test_one_epoch_cannot_be_fewer(dropout: float, advice: str) -> None:
    """A warm-up epoch and one more, after which it was worse."""
    evidence = known(
        annotations_of({"v": SHORT}),
        [(*row, 0.9) for row in SHORT],
        course=[(1, 0.6), (2, 0.5)],
        epochs=1,
        feature_dropout=dropout,
    )
    assert said(evidence) == [f"The model was better before: mAP 60.0 at epoch 1, 50.0 at the end. > {advice}"]
