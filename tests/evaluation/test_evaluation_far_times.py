"""Times that cannot be a video's match nothing of another one, and files and arrays that hold them are refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Refused
from judged import MakeAnnotations, MakeDetections

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.evaluation.diagnosis import diagnose
from actionformer.evaluation.pairs import FlatDetections, Truths, flatten_detections, flatten_truths, overlapping_pairs
from actionformer.evaluation.report import score
from actionformer.formats.activitynet.annotations import parse_annotations
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results


@pytest.mark.parametrize("far", [0.0, 1e9, 1e15, 1e17, 1e25, 1e300])
def test_a_detection_never_finds_what_another_video_has(make_annotations: MakeAnnotations, far: float) -> None:
    """On one clock for all videos a far time would leave no room for the distance between two of them."""
    own, other = (make_annotations({"a": [(0, 1, 0), (far, far + 1, 1)], "b": [(5, 9, 0)]}) for _ in range(2))
    truths, _ = flatten_truths(own)
    candidates = FlatDetections(np.array([[5.0, 9.0], [5.0, 9.0]]), np.array([0, 0]), np.array([0, 1]), np.ones(2))
    pairs = overlapping_pairs(candidates, truths, at_least=0.1)
    assert pairs.detection.tolist() == [1]
    assert truths.videos[pairs.truth].tolist() == [1]
    nowhere = FlatDetections(np.array([[5.0, 9.0]]), np.array([0]), np.array([-1]), np.ones(1))
    assert len(overlapping_pairs(nowhere, truths, at_least=0.1).truth) == 0
    assert other.videos.keys() == own.videos.keys()


@pytest.mark.parametrize("far", [1e3, 1e9])
def test_neighbours_are_found_among_many_videos_with_far_times(far: float) -> None:
    """Of 300,000 videos up to `far` the common clock rounds to 0.06 s, and actions of 0.01 s match all the same."""
    count = 300_000
    segments = np.tile([[far - 0.01, far]], (count, 1))
    videos = np.arange(count)
    candidates, truths = (
        FlatDetections(segments, videos * 0, videos, np.ones(len(videos))),
        Truths(segments, videos * 0, videos),
    )
    pairs = overlapping_pairs(candidates, truths, at_least=0.5)
    np.testing.assert_array_equal(pairs.detection, videos)
    np.testing.assert_array_equal(pairs.truth, videos)


def test_far_times_change_no_score(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    rows = {"a": [(0, 1, 0)], "b": [(5, 9, 0)]}
    found = make_detections({"a": [(5, 9, 0, 0.9)], "b": [(0, 1, 0, 0.8)]})
    for far in (2.0, 1e9, -1e9):
        annotations = make_annotations({**rows, "c": sorted([(far, far + 1, 1), (0, 3, 1)])})
        assert score(annotations, found, tiou=[0.5]).average == 0
        assert diagnose(annotations, found, 0.5).counts["true positive"] == 0
        assert len(flatten_detections(found, annotations, flatten_truths(annotations)[0])) == 2


FAR = [[0, 2e9], [-2e9, 1], [1e18, 2e18], [-1e300, 0]]


@pytest.mark.parametrize("segment", FAR)
def test_far_times_are_refused(segment: list[float], tmp_path: Path, refused: Refused) -> None:
    annotations, found, table = tmp_path / "a.json", tmp_path / "d.json", tmp_path / "d.csv"
    action = {"segment": segment, "label": "jump"}
    annotations.write_text(json.dumps({"database": {"v": {"subset": "s", "annotations": [action]}}}), "utf-8")
    found.write_text(json.dumps({"results": {"v": [{**action, "score": 1.0}]}}), "utf-8")
    table.write_text(f"video,label,start,end,score\nv,jump,{segment[0]},{segment[1]},1\n", "utf-8")
    message = "lies more than 1e.09 s from the video's beginning: times count in seconds"
    with pytest.raises(InputError, match=f"video 'v', annotation 0: segment .* {message}"):
        read_annotations(annotations)
    with pytest.raises(InputError, match=f"video 'v', detection 0: segment .* {message}"):
        read_results(found)
    with pytest.raises(InputError, match=f"line 2: segment .* {message}"):
        read_results(table)
    with pytest.raises(InputError, match=message):
        Detections(np.array([[0.0, 1.0], segment]), np.ones(2), np.zeros(2, int), ("jump",))
    for detections in (found, table):
        assert "1e+09 s" in refused("score", "--annotations", annotations, "--detections", detections)


def test_a_far_duration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"database": {"v": {"subset": "s", "duration": 2e9}}}), "utf-8")
    with pytest.raises(InputError, match=r"video 'v': duration must be at most 1e\+09 s, found 2e\+09"):
        read_annotations(path)


def test_detections_after_the_end_of_their_video_are_told() -> None:
    entry = {"subset": "test", "duration": 20.0, "annotations": [{"segment": [2.0, 4.0], "label": "jump"}]}
    annotations = parse_annotations({"database": {"v": entry, "w": {**entry, "duration": None}}})
    found = Detections([[2.0, 4.0], [19.9, 20.0], [2000.0, 4000.0]], [0.9, 0.8, 0.7], [0, 0, 0], ("jump",))
    report = score(annotations, {"v": found, "w": found, "elsewhere": found})
    assert report.counts.beyond_end == 1  # of `w` no end is stated
    assert any(warning.startswith("1 detection begins after the end of the video") for warning in report.warnings)
    assert score(annotations, {"v": found[:2]}).counts.beyond_end == 0
