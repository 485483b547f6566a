"""Channels that are the labels themselves are found; readings that tell actions well are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from featured import featured
from numpy.typing import NDArray

from actionformer.checks.followed import check_followed
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import FeaturedVideo
from actionformer.features import open_features

GRID = TimeGrid(fps=10, stride=2, num_frames=4)
"""Row i is of the time from i / 5 to i / 5 + 0.4 s."""
ACTIONS, LABELS = [[[2, 5], [8, 11]], [[1, 4], [6, 9]]], [[0, 1], [1, 0]]
"""Two videos of 12 s; each class has two actions of 3 s."""


def videos(tmp_path: Path, *channels: str, copies: int = 2) -> list[FeaturedVideo]:
    """Videos whose channels are what is asked for, frame by frame, as the mean of each row's frames."""
    made = featured(ACTIONS * copies, LABELS * copies, grid=GRID)
    rng = np.random.default_rng(0)
    for number, one in enumerate(made):
        frames = np.stack([_frames(kind, one, rng) for kind in channels], axis=1)
        rows = np.stack([frames[2 * i : 2 * i + 4].mean(0) for i in range(59)]).astype(np.float32)
        np.save(tmp_path / f"{number}.npy", rows)
        made[number] = FeaturedVideo(one.video, open_features(tmp_path / f"{number}.npy"), GRID, one.spec)
    return made


def _frames(kind: str, one: FeaturedVideo, rng: np.random.Generator) -> NDArray[np.float64]:
    label = np.zeros(120)
    for (start, end), own in zip(one.video.segments, one.video.labels, strict=True):
        label[int(10 * start) : int(10 * end)] = 3 + own
    frames: dict[str, NDArray[np.float64]] = {
        "label": label,
        "one class": (label == 4).astype(float),
        "reading": label + 0.01 * rng.standard_normal(120),
        "dead": np.ones(120),
        "door": ((label > 0) & (np.arange(120) % 40 > 9)).astype(float),
        "often": (label > 0) + 1.0 * (np.arange(120) % 60 < 5),
    }
    return frames[kind]


def test_labels_among_the_channels_are_found(tmp_path: Path) -> None:
    (finding,) = check_followed(videos(tmp_path, "reading", "label", "dead", "one class"))
    assert (finding.kind, finding.severity, finding.count, finding.total) == ("followed", "warning", 2, 4)
    assert finding.example == "1, 3"
    assert "never elsewhere, as labels do" in finding.what


@pytest.mark.parametrize("kind", ["reading", "dead", "door", "often"])
def test_readings_are_not(tmp_path: Path, kind: str) -> None:
    assert check_followed(videos(tmp_path, kind)) == []


def test_one_row_that_differs_in_one_video_is_enough(tmp_path: Path) -> None:
    made = videos(tmp_path, "one class")

    def with_value(value: float) -> list[FeaturedVideo]:
        rows = np.load(tmp_path / "1.npy")
        rows[10] = value  # 2.0 to 2.4 s: within the action of class 1
        np.save(tmp_path / "1.npy", rows)
        return [replace(one, features=open_features(*one.features.paths)) for one in made]

    assert len(check_followed(with_value(1))) == 1
    assert check_followed(with_value(0.5)) == []


def test_few_actions_say_nothing(tmp_path: Path) -> None:
    assert check_followed(videos(tmp_path, "label", copies=1)) == []
    assert check_followed([]) == []
