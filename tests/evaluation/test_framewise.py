"""Frame-wise figures by hand, against a plain twin, and those that are published for TCN predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.evaluation.framewise import (
    edit_score,
    frame_labels,
    framewise_scores,
    segment_hits,
    segments_of,
)

WORDS = st.lists(st.integers(0, 3), max_size=8)


def test_segments_are_runs_of_one_label_without_the_background() -> None:
    segments, labels = segments_of(np.array([1, 1, 0, 2, 2, 2, 1]), background=0)
    assert segments.tolist() == [[0, 2], [3, 6], [6, 7]]
    assert labels.tolist() == [1, 2, 1]
    assert segments_of(np.array([1, 1, 0]), background=None)[1].tolist() == [1, 0]
    assert segments_of(np.array([], dtype=int), background=0)[0].shape == (0, 2)


def test_edit_score_worked_by_hand() -> None:
    assert edit_score([1, 2, 3], [1, 2, 3]) == 1
    assert edit_score([1, 3], [1, 2, 3]) == pytest.approx(2 / 3)  # one is left out
    assert edit_score([2, 2], [1, 3, 3, 1]) == 0
    assert edit_score([], [1]) == edit_score([1], []) == 0
    assert edit_score([], []) == 1


def plain_distance(first: list[int], second: list[int]) -> int:
    if not first or not second:
        return len(first) + len(second)
    return min(
        plain_distance(first[1:], second[1:]) + (first[0] != second[0]),
        plain_distance(first[1:], second) + 1,
        plain_distance(first, second[1:]) + 1,
    )


@given(st.lists(st.integers(0, 3), max_size=5), st.lists(st.integers(0, 3), max_size=5))
def test_edit_score_is_that_of_the_plain_distance(first: Any, second: Any) -> None:
    longest = max(len(first), len(second), 1)
    assert edit_score(first, second) == pytest.approx(1 - plain_distance(first, second) / longest)


def test_hits_of_segments_worked_by_hand() -> None:
    """Of two predicted halves of one true segment the first is right at IoU 0.5; another label never is."""
    truth = segments_of(np.array([1] * 10 + [2] * 10), background=None)
    predicted = segments_of(np.array([1] * 5 + [3] + [1] * 4 + [2] * 10), background=None)
    assert segment_hits(predicted, truth, 0.5) == (2, 2, 0)
    assert segment_hits(predicted, truth, 0.51) == (1, 3, 1)
    assert segment_hits(predicted, (np.empty((0, 2)), np.empty(0, int)), 0.5) == (0, 4, 0)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3).filter(lambda videos: all(a and b for a, b in videos)))
def test_figures_are_shares_and_1_where_all_is_right(videos: Any) -> None:
    pairs = [(np.array(a)[: min(len(a), len(b))], np.array(b)[: min(len(a), len(b))]) for a, b in videos]
    scores = framewise_scores(pairs, background=0)
    figures = [scores.accuracy, scores.edit, *scores.f1.values(), scores.pooled_accuracy, *scores.pooled_f1.values()]
    assert all(0 <= figure <= 1 for figure in figures)
    assert list(scores.pooled_f1.values()) == sorted(scores.pooled_f1.values(), reverse=True)
    perfect = framewise_scores([(truth, truth) for _, truth in pairs], background=None)
    assert (perfect.accuracy, perfect.edit, set(perfect.pooled_f1.values())) == (1, 1, {1})


def test_frames_lie_in_the_middle_and_later_segments_win() -> None:
    frames = frame_labels(np.array([[0.0, 1.0], [0.8, 1.5]]), np.array([3, 4]), seconds=2.0, rate=5)
    assert frames.tolist() == [3, 3, 3, 3, 4, 4, 4, -1, -1, -1]


@pytest.mark.parametrize(
    ("name", "f1", "edit", "accuracy"),
    [
        ("50Salads__mid__mid_video_ED-TCN_L2_C15", (68.0, 63.9, 52.6), 59.8, 64.7),
        ("50Salads__eval__eval_video_ED-TCN_L2_C18", (76.5, 73.8, 64.5), 72.3, 73.4),
        ("GTEA__video_ED-TCN_L2_C25", (73.2, 68.5, 55.6), 69.9, 63.7),
    ],
)
def test_published_predictions_have_the_published_figures(
    shared: Path, name: str, f1: tuple[float, ...], edit: float, accuracy: float
) -> None:
    splits = []
    for path in sorted((shared / "data" / "tcn_predictions").glob(f"{name}__*.npz")):
        with np.load(path) as arrays:
            ids = [key.removesuffix(".truth") for key in arrays.files if key.endswith(".truth")]
            videos = [(arrays[f"{i}.predicted"].ravel(), arrays[f"{i}.truth"].ravel()) for i in ids]
        splits.append(framewise_scores(videos, background=0))
    assert len(splits) in (3, 5)
    found = [100 * np.mean([one.f1[k] for one in splits]) for k in ("10", "25", "50")]
    assert np.round(found, 1).tolist() == list(f1)
    assert round(100 * float(np.mean([one.edit for one in splits])), 1) == edit
    assert round(100 * float(np.mean([one.accuracy for one in splits])), 1) == accuracy
