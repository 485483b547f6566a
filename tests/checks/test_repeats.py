"""The same thing twice, and what only looks like it."""

import numpy as np
import pytest

from actionformer.checks.repeats import check_leaks, check_names, check_repeats, check_twins
from actionformer.core.annotations import AnnotatedVideo
from actionformer.data.statistics import FeatureStatistics

NAMES = ("jump", "run")


def video(id_: str, *actions: tuple[float, float, int], subset: str = "training") -> AnnotatedVideo:
    segments = np.array([action[:2] for action in actions], dtype=float).reshape(-1, 2)
    return AnnotatedVideo(id_, subset, 99.0, 30.0, segments, np.array([label for *_, label in actions], dtype=np.int64))


@pytest.mark.parametrize(
    "other", ["Clip", "clip ", "clip.mp4", "clip.MP4", "clip.mov", "clip.WMV", "clip.wav", "c lip.csv"]
)
def test_ids_that_are_one_video(other: str) -> None:
    (finding,) = check_names([video("clip"), video(other, subset="test")])
    assert (finding.kind, finding.count) == ("leak", 1)
    assert finding.example == f"{other} and clip (test and training)"
    (finding,) = check_names([video("clip"), video(other)])
    assert finding.kind == "twins"


def test_ids_in_other_folders_or_of_other_endings_are_other_videos() -> None:
    assert check_names([video(f"P0{i}/take1") for i in range(8)] + [video("take1"), video("take1.5"), video("2")]) == []
    (finding,) = check_names([video("P00/take1"), video("p00/take1.mp4")])
    assert finding.count == 1


def test_an_action_that_is_there_twice() -> None:
    (finding,) = check_repeats([video("v", (1, 5, 0), (1.05, 5, 0), (1, 5, 1), (7, 9, 0))], NAMES)
    assert (finding.count, finding.total) == (1, 4)
    assert "jump from 1.05 to 5 s in 'v'" in finding.example
    assert check_repeats([video("v", (1, 5, 0), (2, 6, 0), (3, 3, 0), (3, 3, 0)), video("w", (1, 5, 0))], NAMES) == []


def test_videos_with_the_same_actions() -> None:
    actions = (1, 5, 0), (6, 7.5, 1), (8, 9, 0)
    first, second = video("a", *actions), video("b", *reversed(actions), subset="test")
    (finding,) = check_twins([first, second])
    assert (finding.kind, finding.count) == ("leak", 1)
    assert check_twins([video("a", *actions[:2]), video("b", *actions[:2])]) == []  # two may be so by chance
    assert check_twins([first, video("b", (1, 5, 0), (6, 7.6, 1), (8, 9, 0))]) == []


def test_features_that_are_there_twice() -> None:
    rows = np.random.default_rng(0).integers(0, 9, (50, 4)).astype(np.float32)
    statistics = FeatureStatistics([("a", rows), ("b", rows.copy()), ("c", rows[::-1])])
    assert statistics.copies == [("b", "a")]  # the sums of c are the same, its rows are not
    videos = [video("a"), video("b", subset="test"), video("c", subset="test")]
    assert next(finding.example for finding in check_leaks(statistics, videos)) == "b and a (test and training)"
