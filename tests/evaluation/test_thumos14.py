"""The evaluator of the THUMOS14 challenge."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import annotations_of, detections_of

from actionformer import InputError, score
from actionformer.core.segments import tiou

Spans = list[tuple[float, float]]


def ambiguous(folder: Path, *lines: str) -> Path:
    path = folder / "Ambiguous_test.txt"
    path.write_text("".join(f"{line}\n" for line in lines) or "elsewhere 0 1\n")
    return path


def test_by_hand(tmp_path: Path) -> None:
    annotations = annotations_of({"v": [(0, 10, 0), (20, 30, 0)]})
    rows = [(0, 10, 0, 0.9), (40, 50, 0, 0.8), (20, 30, 0, 0.7), (60, 70, 0, 0.6)]
    detections = detections_of({"v": rows, "w": [(0, 1, 0, 0.5)]})
    # hit, miss, hit, miss, miss: precision 1 up to recall 0.5, then 2/3; at 11 points 6 x 1 and 5 x 2/3
    report = score(annotations, detections, tiou=[0.5], ambiguous=ambiguous(tmp_path))
    assert report.map == pytest.approx(((6 + 5 * 2 / 3) / 11,))
    # the second detection touches a span that is ambiguous
    report = score(annotations, detections, tiou=[0.5], ambiguous=ambiguous(tmp_path, "v 49.9 55.0"))
    assert report.map == (1.0,)


def test_the_overlap_must_be_larger_than_the_threshold(tmp_path: Path) -> None:
    annotations, detections = annotations_of({"v": [(0, 10, 0)]}), detections_of({"v": [(0, 5, 0, 0.9)]})
    assert score(annotations, detections, tiou=[0.5]).map == (1.0,)
    assert score(annotations, detections, tiou=[0.5], ambiguous=ambiguous(tmp_path)).map == (0.0,)


def test_an_action_takes_what_overlaps_it_most_not_what_scores_best(tmp_path: Path) -> None:
    annotations = annotations_of({"v": [(0, 10, 0)]})
    detections = detections_of({"v": [(0, 7, 0, 0.9), (0, 9, 0, 0.8)]})
    assert score(annotations, detections, tiou=[0.5]).map == (1.0,)
    assert score(annotations, detections, tiou=[0.5], ambiguous=ambiguous(tmp_path)).map == (0.5,)


def reference(truths: Spans, found: Spans, scores: list[float], doubtful: Spans, threshold: float) -> float:
    """One video and one class, as the published code goes about it."""
    order = sorted(range(len(found)), key=lambda row: -scores[row])
    free = dict.fromkeys(order, True)
    for truth in truths:
        overlaps = [(float(tiou(np.array([truth]), np.array([found[row]]))[0, 0]), row) for row in order if free[row]]
        if overlaps and max(one for one, _ in overlaps) > threshold:
            best = max(one for one, _ in overlaps)
            free[next(row for one, row in overlaps if one == best)] = False
    shared = [any(min(end, b) > max(start, a) for a, b in doubtful) for start, end in found]
    rows = [(scores[row], not free[row]) for row in order if not (free[row] and shared[row])]
    rows.sort(key=lambda row: (-row[0], not row[1]))
    right = np.cumsum([hit for _, hit in rows])
    points = [(right[place] / len(truths), right[place] / (place + 1)) for place in range(len(rows))]
    return sum(max((p for r, p in points if r >= t / 10), default=0.0) for t in range(11)) / 11


span = st.tuples(st.integers(0, 30), st.integers(1, 12)).map(lambda one: (float(one[0]), float(one[0] + one[1])))


@given(
    st.lists(span, min_size=1, max_size=6, unique=True),
    st.lists(st.tuples(span, st.integers(1, 5)), max_size=8),
    st.lists(span, max_size=2),
    st.sampled_from([0.3, 0.5, 0.7]),
)
def test_as_the_published_code_goes_about_it(
    tmp_path_factory: pytest.TempPathFactory,
    truths: Spans,
    found: list[tuple[tuple[float, float], int]],
    doubtful: Spans,
    threshold: float,
) -> None:
    rows = [(*segment, 0, points / 5) for segment, points in found]
    path = ambiguous(tmp_path_factory.mktemp("spans"), *(f"v {start} {end}" for start, end in doubtful))
    report = score(annotations_of({"v": [(*one, 0) for one in truths]}), detections_of({"v": rows}),
                   tiou=[threshold], ambiguous=path)  # fmt: skip
    expected = reference(truths, [one for one, _ in found], [points / 5 for _, points in found], doubtful, threshold)
    assert report.map == pytest.approx((expected,))


def test_from_outside(call: Any, refused: Any, tmp_path: Path) -> None:
    action = {"segment": [0, 10], "label": "Diving"}
    truth = {"database": {"video_test_1": {"subset": "test", "annotations": [action]}}}
    rows = [
        {"label": "Diving", "score": 0.9, "segment": [20, 30]},
        {"label": "Diving", "score": 0.5, "segment": [0, 10]},
    ]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "found.json").write_text(json.dumps({"results": {"video_test_1": rows}}))
    spans = ambiguous(tmp_path, "video_test_1  25.0 26.0")
    given = ("--annotations", tmp_path / "truth.json", "--detections", tmp_path / "found.json")
    out = tmp_path / "scores.json"
    assert call("score", *given, "--ambiguous", spans, "--tiou", "0.5", "--json", out).code == 0
    assert json.loads(out.read_text())["average"] == 1
    assert call("score", *given, "--tiou", "0.5", "--json", out, "--overwrite").code == 0
    assert json.loads(out.read_text())["average"] == 0.5
    spans.write_text("soon\n")
    assert "expected a video and two times per line" in refused("score", *given, "--ambiguous", spans)
    with pytest.raises(InputError, match="expected a video and two times"):
        score(tmp_path / "truth.json", tmp_path / "found.json", ambiguous=[spans])
