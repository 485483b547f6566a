"""Properties, and agreement with a plain twin: the definitions written as loops."""

from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged import MakeAnnotations, MakeDetections
from numpy.typing import NDArray

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.segments import tiou
from actionformer.evaluation.mean_average_precision import average_precision_of_hits
from actionformer.evaluation.pairs import rank_within
from actionformer.evaluation.report import score

# whole seconds make equal overlaps, touching segments and repeats common
spans = st.tuples(st.integers(0, 12), st.integers(0, 6)).map(lambda pair: (pair[0], pair[0] + pair[1]))
truth_rows = st.lists(st.tuples(spans, st.integers(0, 2)).map(lambda row: (*row[0], row[1])), max_size=5)
worlds = st.dictionaries(st.sampled_from("vwx"), truth_rows, min_size=1).filter(
    lambda videos: any(end > start for rows in videos.values() for start, end, _ in rows)
)


Segment = NDArray[np.float64]
Found = Mapping[str, Detections]
World = dict[str, list[tuple[int, int, int]]]
FoundRows = dict[str, list[tuple[int, int, int, float]]]


@st.composite
def found_rows(draw: st.DrawFn) -> FoundRows:
    """Detections in known and unknown videos, no two with the same score."""
    videos = draw(st.lists(st.tuples(st.sampled_from("vwxz"), spans, st.integers(0, 2)), max_size=14))
    scores = draw(st.permutations([(i + 1) / (len(videos) + 1) for i in range(len(videos))]))
    result: FoundRows = {}
    for (video, span, label), value in zip(videos, scores, strict=True):
        result.setdefault(video, []).append((*span, label, value))
    return result


# ---- the plain twin


def plain_truths(annotations: Annotations) -> dict[str, list[tuple[Segment, str]]]:
    """Video -> [(segment, class name)] without repeats and segments under 1 ms."""
    truths: dict[str, list[tuple[Segment, str]]] = {}
    for video in annotations.videos.values():
        kept: list[tuple[Segment, str]] = []
        for segment, label in zip(video.segments, video.labels, strict=True):
            name = annotations.class_names[label]
            repeat = any(name == other and np.abs(segment - one).max() <= 1e-3 for one, other in kept)
            if segment[1] - segment[0] >= 1e-3 and not repeat:
                kept.append((segment, name))
        truths[video.id] = kept
    return truths


def ranked(detections: Found, name: str) -> list[tuple[float, str, Segment]]:
    """(score, video, segment) of a class, best first."""
    rows = [
        (score, video, segment)
        for video in sorted(detections)
        for score, segment, label in zip(
            detections[video].scores, detections[video].segments, detections[video].labels, strict=True
        )
        if detections[video].class_names[label] == name
    ]
    return sorted(rows, key=lambda row: -row[0])


def plain_average_precision(annotations: Annotations, detections: Found, name: str, threshold: float) -> float:
    free = {
        video: [segment for segment, label in kept if label == name]
        for video, kept in plain_truths(annotations).items()
    }
    total = sum(map(len, free.values()))
    hits: list[bool] = []
    for _, video, segment in ranked(detections, name):
        overlaps = [tiou(segment, one)[0, 0] for one in free.get(video, [])]
        hits.append(bool(overlaps) and max(overlaps) >= threshold)
        if hits[-1]:
            del free[video][int(np.argmax(overlaps))]
    precision = [sum(hits[: i + 1]) / (i + 1) for i in range(len(hits))]
    return sum(max(precision[i:]) for i, hit in enumerate(hits) if hit) / total


def plain_recall_at_kx(annotations: Annotations, detections: Found, name: str, threshold: float, k: int) -> float:
    found, total = 0, 0
    rows = ranked(detections, name)
    for video, kept in plain_truths(annotations).items():
        wanted = [segment for segment, label in kept if label == name]
        best = [segment for _, where, segment in rows if where == video][: k * len(wanted)]
        found += sum(any(tiou(one, segment)[0, 0] >= threshold for segment in best) for one in wanted)
        total += len(wanted)
    return found / total


def plain_average_recall(annotations: Annotations, detections: Found, number: int) -> float:
    truths = {video: kept for video, kept in plain_truths(annotations).items() if kept}
    none = np.empty((0, 2))
    proposals = {video: detections[video].segments if video in detections else none for video in truths}
    total = sum(map(len, proposals.values()))
    found, count = 0, 0
    for video, kept in truths.items():
        limit = min(number * len(truths) * len(proposals[video]) // max(total, 1), len(proposals[video]))
        for one, _ in kept:
            overlaps = [tiou(one, segment)[0, 0] for segment in proposals[video][:limit]]
            found += sum(max(overlaps, default=0) >= t for t in np.linspace(0.5, 0.95, 10).round(2))
            count += 10
    return found / count


# ---- properties


@given(worlds)
def test_perfect_detections(make_annotations: MakeAnnotations, make_detections: MakeDetections, world: World) -> None:
    annotations = make_annotations(world)
    kept = plain_truths(annotations)
    detections = make_detections(
        {name: [(*segment, "abc".index(label), 0.5) for segment, label in rows] for name, rows in kept.items()}
    )
    report = score(annotations, detections, tiou="0.1:1:0.1")
    assert report.map == (1.0,) * 10
    assert all(values == [1.0] * 10 for values in report.recall_at_kx.values())
    assert report.average_recall["100"] == 1.0


@given(worlds, found_rows(), st.randoms(use_true_random=False))
def test_order_does_not_matter(
    make_annotations: MakeAnnotations, make_detections: MakeDetections, world: World, rows: FoundRows, random: Random
) -> None:
    mixed = {name: random.sample(rows[name], len(rows[name])) for name in random.sample(sorted(rows), len(rows))}
    annotations = make_annotations(world)
    first = score(annotations, make_detections(rows))
    assert score(annotations, make_detections(mixed)) == first


@given(worlds, found_rows(), spans, st.integers(0, 2))
def test_a_false_positive_behind_all_others_never_helps(
    make_annotations: MakeAnnotations,
    make_detections: MakeDetections,
    world: World,
    rows: FoundRows,
    span: tuple[int, int],
    label: int,
) -> None:
    annotations = make_annotations(world)
    before = score(annotations, make_detections(rows))
    rows["elsewhere"] = [(*span, label, 0.0)]
    after = score(annotations, make_detections(rows))
    assert all(a <= b for a, b in zip(after.map, before.map, strict=True))


@given(worlds, found_rows())
def test_shares_lie_between_0_and_1_and_fall_with_the_threshold(
    make_annotations: MakeAnnotations, make_detections: MakeDetections, world: World, rows: FoundRows
) -> None:
    report = score(make_annotations(world), make_detections(rows), tiou="0.1:0.9:0.1")
    for values in report.recall_at_kx.values():
        assert values == sorted(values, reverse=True)
    assert report.recall_at_kx["1"] <= report.recall_at_kx["5"]
    assert all(0 <= value <= 1 for value in (*report.map, *report.average_recall.values()))


@settings(max_examples=200)
@given(worlds, found_rows(), st.sampled_from([1, 2, 3]))
def test_equals_the_plain_twin(
    make_annotations: MakeAnnotations, make_detections: MakeDetections, world: World, rows: FoundRows, k: int
) -> None:
    annotations, detections = make_annotations(world), make_detections(rows)
    thresholds = [0.2, 1 / 3, 0.5, 0.75, 1.0]
    report = score(annotations, detections, tiou=thresholds, recall_at=[k])
    for name, values in report.per_class.items():
        for threshold, value in zip(thresholds, values, strict=True):
            twin = plain_average_precision(annotations, detections, name, threshold)
            assert value == pytest.approx(twin, abs=1e-12)
    for column, threshold in enumerate(thresholds):
        recalls = [plain_recall_at_kx(annotations, detections, name, threshold, k) for name in report.per_class]
        assert report.recall_at_kx[str(k)][column] == pytest.approx(np.mean(recalls), abs=1e-12)
    for number in (1, 5, 100):
        twin = plain_average_recall(annotations, detections, number)
        assert report.average_recall[str(number)] == pytest.approx(twin, abs=1e-12)


@given(worlds, found_rows(), st.integers(1, 5))
def test_blocks_of_pairs_do_not_show(
    make_annotations: MakeAnnotations, make_detections: MakeDetections, world: World, rows: FoundRows, block: int
) -> None:
    annotations, detections = make_annotations(world), make_detections(rows)
    whole = score(annotations, detections)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("actionformer.evaluation.pairs.BLOCK", block)
        assert score(annotations, detections) == whole


@given(st.lists(st.integers(-2, 3), max_size=20), st.sampled_from([1, 10**6]))
def test_rank_is_the_number_of_earlier_ones(groups: list[int], apart: Any) -> None:
    ranks = rank_within(np.array(groups, dtype=np.int64) * apart)
    assert ranks.tolist() == [groups[:i].count(group) for i, group in enumerate(groups)]


@given(st.lists(st.tuples(st.integers(-1, 4), st.booleans(), st.booleans()), max_size=30))
def test_precision_of_all_classes_at_once_is_that_of_each(rows: list[tuple[int, bool, bool]]) -> None:
    truths = np.array([0] * 40 + [1] * 3 + [4])  # nothing of classes 2 and 3
    labels = np.array([label for label, _, _ in rows], dtype=np.int64)
    hits = np.array([[row[level] for row in rows] for level in (1, 2)], dtype=bool) & np.isin(labels, truths)
    found = average_precision_of_hits(hits, labels, truths)
    assert np.isnan(found[:, [2, 3]]).all()
    for level in range(2):
        for label, total in ((0, 40), (1, 3), (4, 1)):
            own = hits[level][labels == label]
            precision = [own[: i + 1].sum() / (i + 1) for i in range(len(own))]
            area = sum(max(precision[i:]) for i in np.flatnonzero(own))
            assert found[level, label] == pytest.approx(area / total)
