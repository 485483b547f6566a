from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from actionformer.core.errors import InputError
from actionformer.inference.settings import SuppressionSettings
from actionformer.inference.suppression import ScoredSegments, suppress, suppress_and_count, trace

CASES = (
    "hard_agnostic_voting",
    "hard_no_cap_voting",
    "hard_per_class",
    "soft_agnostic_voting",
    "soft_no_cap",
    "soft_per_class",
)


def plain_tiou(first: np.ndarray, second: np.ndarray) -> float:
    shared = max(np.float32(0), min(first[1], second[1]) - max(first[0], second[0]))
    margin = np.float32(1e-6)
    tiou: float = shared / ((first[1] - first[0] + margin) - shared + (second[1] - second[0] + margin))
    return tiou


def plain(
    segments: np.ndarray, scores: np.ndarray, labels: np.ndarray, options: SuppressionSettings
) -> list[tuple[int, float]]:
    """The definition, one candidate at a time: rows of (index, score)."""
    rows = []
    for group in sorted(set(labels.tolist())) if options.per_class else [None]:
        left = {
            i: score
            for i, score in enumerate(scores)
            if group in (None, labels[i])
            and (score >= options.min_score if options.method == "soft" else score > options.min_score)
        }
        picks = 0
        while left and picks < options.max_detections:
            best = min(left, key=lambda i: (-left[i], segments[i, 0], i))
            rows.append((best, left.pop(best)))
            picks += 1
            for i in list(left):
                overlap = plain_tiou(segments[i], segments[best])
                width = segments[best, 1] - segments[best, 0]
                if options.method == "soft" and overlap <= options.soft_from + options.soft_from_width * width:
                    continue
                if options.method == "hard" and overlap >= options.tiou_threshold:
                    del left[i]
                elif options.method == "soft":
                    left[i] *= np.exp(-(overlap * overlap) / np.float32(options.sigma))
                    if left[i] < options.min_score:
                        del left[i]
    return sorted(rows, key=lambda row: -row[1])[: options.max_detections]


@st.composite
def candidates(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = draw(st.booleans())  # equal ends and scores, segments of length 0
    start = rng.integers(-3, 20, count) if coarse else rng.uniform(-3, 60, count)
    length = rng.integers(0, 12, count) if coarse else rng.exponential(8, count)
    scores = rng.integers(1, 9, count) / 10 if coarse else rng.uniform(0, 1, count)
    segments = np.stack((start, start + length), axis=1).astype(np.float32)
    return segments, scores.astype(np.float32), rng.integers(0, 3, count)


@st.composite
def options(draw: st.DrawFn) -> SuppressionSettings:
    return SuppressionSettings(
        method=draw(st.sampled_from(["soft", "hard"])),
        per_class=draw(st.booleans()),
        sigma=draw(st.sampled_from([0.1, 0.5, 0.9])),
        soft_from=draw(st.sampled_from([0.0, 0.3])),
        soft_from_width=draw(st.sampled_from([0.0, 0.013])),
        tiou_threshold=draw(st.sampled_from([0.0, 0.1, 0.45, 1.0])),
        min_score=draw(st.sampled_from([0.001, 0.15, 0.5])),
        max_detections=draw(st.sampled_from([1, 5, 1000])),
    )


@settings(deadline=None, max_examples=150)
@given(candidates=candidates(), options=options())
def test_equals_the_definition(
    candidates: tuple[np.ndarray, np.ndarray, np.ndarray], options: SuppressionSettings
) -> None:
    kept = suppress(*candidates, options)
    expected = plain(*candidates, options)
    assert_allclose(kept.scores, [score for _, score in expected], atol=1e-6)
    # Candidates that decay to the same score, up to rounding, may come in either order.
    distinct = np.diff(kept.scores, prepend=2, append=-1) < -1e-6
    certain = distinct[:-1] & distinct[1:]
    assert_array_equal(kept.index[certain], np.array([index for index, _ in expected], dtype=int)[certain])


@settings(deadline=None, max_examples=100)
@given(
    candidates=candidates(),
    options=options(),
    method=st.sampled_from(["soft", "hard", "none"]),
    worth=st.sampled_from([0.1, 0.5, 2.0]),
    most=st.integers(0, 9),
)
def test_ranking_a_few_at_first_is_ranking_all(
    candidates: tuple[np.ndarray, np.ndarray, np.ndarray],
    options: SuppressionSettings,
    method: str,
    worth: float,
    most: int,
) -> None:
    """The very same segments, scores and count, however few are looked at before the others."""
    options = options.model_copy(update={"method": method, "voting_threshold": 0.5})
    wanted = np.arange(len(candidates[1])) % 3 > 0
    found = []
    for first in (10**6, 1, 3):
        with patch("actionformer.inference.suppression.FIRST", first):
            found.append(suppress_and_count(*candidates, options, most=most, worth=worth, wanted=wanted))
    (all_at_once, more), *few_at_first = found
    for kept, counted in few_at_first:
        assert counted == more
        for one, other in zip(kept, all_at_once, strict=True):
            assert_array_equal(one, other)


@settings(deadline=None, max_examples=50)
@given(candidates=candidates(), options=options())
def test_result_is_sorted_capped_and_drawn_from_the_candidates(
    candidates: tuple[np.ndarray, np.ndarray, np.ndarray], options: SuppressionSettings
) -> None:
    segments, scores, labels = candidates
    kept = suppress(segments, scores, labels, options)
    assert len(kept.scores) <= options.max_detections
    assert (np.diff(kept.scores) <= 0).all()
    assert (kept.scores >= options.min_score).all()
    assert (kept.scores <= scores[kept.index]).all()
    assert len(set(kept.index.tolist())) == len(kept.index)
    assert_array_equal(kept.segments, segments[kept.index])
    assert_array_equal(kept.labels, labels[kept.index])


@pytest.mark.parametrize("name", CASES)
def test_equals_the_published_implementation(name: str, shared: Path) -> None:
    with np.load(shared / "parity" / "suppression" / f"{name}.npz") as case:
        option = {key.removeprefix("option_"): case[key].item() for key in case if key.startswith("option_")}
        inputs = case["segments"], case["scores"], case["labels"]
        expected = case["out_segments"], case["out_scores"], case["out_labels"]
    kept = suppress(
        *inputs,
        SuppressionSettings(
            method="soft" if option["use_soft_nms"] else "hard",
            per_class=option["multiclass"],
            sigma=option["sigma"],
            tiou_threshold=option["iou_threshold"],
            min_score=option["min_score"],
            max_detections=option["max_seg_num"],
            voting_threshold=option["voting_thresh"],
        ),
    )
    # Votes far from 0 are equal to two units in the last place of float32.
    assert_allclose(kept.segments, expected[0], atol=1e-4, rtol=2.4e-7)
    assert_allclose(kept.scores, expected[1], atol=1e-6)
    assert_array_equal(kept.labels, expected[2])


def worked(**options: object) -> ScoredSegments:
    """[0, 10] and [5, 15] share 5 of 15; [20, 30] stands alone."""
    segments = [[0, 10], [5, 15], [20, 30]]
    return suppress(segments, [0.9, 0.8, 0.5], [0, 0, 1], SuppressionSettings(**options))


def test_soft_decays_by_the_squared_overlap() -> None:
    kept = worked(sigma=0.5)
    assert_allclose(kept.scores, [0.9, 0.8 * np.exp(-(1 / 9) / 0.5), 0.5], rtol=1e-6)
    assert kept.index.tolist() == [0, 1, 2]


def test_soft_drops_below_the_least_score() -> None:
    assert worked(min_score=0.65).index.tolist() == [0]
    assert worked(min_score=0.64).index.tolist() == [0, 1]


def test_soft_spares_what_overlaps_little_for_the_width_of_the_better() -> None:
    """tIoU is 1/3. The better covers 10 of 40 steps: with 0.4 of its width the threshold is 0.1 higher."""
    spared, decayed = [0.9, 0.8, 0.5], [0.9, 0.8 * np.exp(-(1 / 9) / 0.5), 0.5]
    assert_allclose(worked(soft_from=0.34).scores, spared, rtol=1e-6)
    assert_allclose(worked(soft_from=0.33).scores, decayed, rtol=1e-6)
    for least, expected in ((0.24, spared), (0.23, decayed)):
        in_steps = SuppressionSettings(soft_from=least, soft_from_width=0.4).in_steps(40)
        assert_allclose(worked(**in_steps.model_dump()).scores, expected, rtol=1e-6)


def test_hard_removes_from_the_threshold_on() -> None:
    assert worked(method="hard", tiou_threshold=0.3).index.tolist() == [0, 2]
    assert worked(method="hard", tiou_threshold=0.34).index.tolist() == [0, 1, 2]


def test_none_only_cuts() -> None:
    kept = worked(method="none", max_detections=2)
    assert kept.index.tolist() == [0, 1]
    assert_allclose(kept.scores, [0.9, 0.8])


def test_classes_leave_each_other_alone_unless_told() -> None:
    segments, scores, labels = [[0, 10], [0, 10]], [0.9, 0.8], [0, 1]
    hard = SuppressionSettings(method="hard")
    assert len(suppress(segments, scores, labels, hard).scores) == 2
    agnostic = hard.model_copy(update={"per_class": False})
    assert len(suppress(segments, scores, labels, agnostic).scores) == 1


@pytest.mark.parametrize("method", ["soft", "hard"])
def test_votes_of_all_candidates_count_with_their_first_scores(method: str) -> None:
    # The third is below min_score and of another class, and votes all the same.
    segments, scores, labels = [[0, 10], [0, 9], [1, 10], [6, 30]], [0.8, 0.4, 0.001, 0.1], [0, 0, 1, 0]
    chosen = SuppressionSettings(
        method=method, per_class=False, voting_threshold=0.85, min_score=0.01, max_detections=1
    )
    weights = np.array([0.8, 0.4 * 0.9, 0.001 * 0.9])
    expected = weights @ np.array([[0, 10], [0, 9], [1, 10]]) / weights.sum()
    kept = suppress(segments, scores, labels, chosen)
    assert_allclose(kept.segments, [expected], rtol=1e-5)
    assert kept.scores == pytest.approx(0.8)
    per_class = chosen.model_copy(update={"per_class": True})
    assert_array_equal(suppress(segments, scores, labels, per_class).segments, [[0, 10]])


def test_votes_by_score_alone() -> None:
    segments, scores = [[0, 10], [0, 9], [6, 30]], [0.8, 0.4, 0.1]
    chosen = SuppressionSettings(per_class=False, voting_threshold=0.85, voting_weight="score", max_detections=1)
    kept = suppress(segments, scores, [0, 0, 0], chosen)
    assert_allclose(kept.segments, [[0, (0.8 * 10 + 0.4 * 9) / 1.2]], rtol=1e-5)


def test_a_narrow_gaussian_never_keeps_a_candidate_twice() -> None:
    kept = suppress(
        np.tile([0.0, 10.0], (4, 1)),
        np.full(4, 0.5),
        np.zeros(4, int),
        SuppressionSettings(sigma=1e-3, min_score=0),
    )
    assert kept.index.tolist() == [0]


@pytest.mark.parametrize("method", ["soft", "hard", "none"])
@pytest.mark.parametrize("per_class", [True, False])
def test_no_candidates(method: str, per_class: bool) -> None:
    chosen = SuppressionSettings(method=method, per_class=per_class, voting_threshold=0.5)
    kept = suppress(np.empty((0, 2)), [], [], chosen)
    assert kept.segments.shape == (0, 2)
    assert [len(array) for array in kept] == [0, 0, 0, 0]


def test_tensors_of_half_width() -> None:
    kept = suppress(
        torch.tensor([[0.0, 4.0]], dtype=torch.bfloat16),
        torch.tensor([0.5], dtype=torch.bfloat16, requires_grad=True),
        torch.tensor([1]),
        SuppressionSettings(),
    )
    assert (kept.segments.dtype, kept.scores.dtype, kept.labels.dtype) == (np.float32, np.float32, np.int64)


@pytest.mark.parametrize(
    ("segments", "scores", "labels", "message"),
    [
        ([[0, 1, 2]], [0.5], [0], "segments"),
        ([[0, 1]], [[0.5]], [0], "scores"),
        ([[0, 1]], [0.5], [0, 1], "labels"),
        ([[0, 1]], [0.5], [0.0], "integers"),
        ([[0, 1], [np.nan, 1]], [0.5, 0.5], [0, 0], "candidate 1 has a start or end that is not finite"),
        ([[0, 1]], [np.inf], [0], "candidate 0 has a score"),
        ([[0, 1]], [-0.1], [0], "candidate 0 has a score"),
        ([[2, 1]], [0.5], [0], "an end before its start"),
    ],
)
def test_unusable_candidates(segments: object, scores: object, labels: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        suppress(segments, scores, labels, SuppressionSettings())


@given(candidates(), st.sampled_from(["soft", "hard", "none"]), st.booleans(), st.sampled_from([3, 200]))
def test_a_trace_keeps_what_suppression_keeps_and_tells_every_score(
    candidates: Any, method: str, per_class: bool, most: int
) -> None:
    segments, scores, labels = candidates
    options = SuppressionSettings(method=method, per_class=per_class, max_detections=most)
    kept = suppress(segments, scores, labels, options)
    steps = trace(segments, scores, labels, options)
    assert [step.pick for step in steps] == kept.index.tolist()
    assert_array_equal(np.array([step.score for step in steps], np.float32), kept.scores)
    now = scores.astype(np.float32)
    for step in steps:
        assert now[step.pick] == np.float32(step.score)
        assert step.pick not in step.index
        assert (step.scores < now[step.index]).all()
        now[step.index] = step.scores


def test_a_trace_worked_by_hand() -> None:
    segments = np.array([[0.0, 10.0], [5.0, 15.0], [20.0, 30.0]])
    scores = np.array([0.9, 0.8, 0.5])
    soft = trace(segments, scores, np.zeros(3, int), SuppressionSettings())
    decayed = 0.8 * np.exp(-((1 / 3) ** 2) / 0.5)
    assert [step.pick for step in soft] == [0, 1, 2]
    assert soft[0].index.tolist() == [1]
    assert_allclose(soft[0].scores, [decayed], rtol=1e-5)
    hard = trace(segments, scores, np.zeros(3, int), SuppressionSettings(method="hard"))
    assert [step.pick for step in hard] == [0, 2]
    assert (hard[0].index.tolist(), hard[0].scores.tolist()) == ([1], [0.0])


def test_what_is_reported_is_not_what_suppression_judges_by() -> None:
    """The second overlaps the first by 8 of 10; where they are reported they do not meet."""
    segments, scores, labels = [[0, 9], [1, 10], [20, 30]], [0.9, 0.8, 0.7], [0, 0, 0]
    reported = [[0, 5], [8, 12], [21, 29]]
    hard = SuppressionSettings(method="hard", tiou_threshold=0.5)
    kept = suppress(segments, scores, labels, hard, reported=reported)
    assert (kept.index.tolist(), kept.segments.tolist()) == ([0, 2], [[0, 5], [21, 29]])
    same = suppress(segments, scores, labels, hard)
    assert same.index.tolist() == kept.index.tolist()
    best = SuppressionSettings(method="none", max_detections=1)
    assert suppress(segments, scores, labels, best, reported=reported).segments.tolist() == [[0, 5]]


def test_a_vote_averages_what_is_reported() -> None:
    """Of equal weights the mean: both candidates lie around the one that is kept."""
    voting = SuppressionSettings(
        method="hard", tiou_threshold=0.5, per_class=False, voting_threshold=0.5, voting_weight="score"
    )
    kept = suppress([[0, 9], [1, 10]], [0.5, 0.5], [0, 0], voting, reported=[[0, 5], [2, 9]])
    assert kept.segments.tolist() == [[1, 7]]
