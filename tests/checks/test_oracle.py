"""What perfect scores reach, worked by hand: all of what a moment learns, and nothing else."""

import numpy as np
import pytest
from featured import featured

from actionformer.checks.oracle import oracle_report
from actionformer.core.annotations import Annotations
from actionformer.core.segments import TimeGrid
from actionformer.settings.loading import load_config

SECOND = TimeGrid(fps=30, stride=30, num_frames=30)
"""A feature a second; moments lie at 0.5, 1.5, ... s."""


def reached(actions: list[list[float]], preset: str = "small", **data: float) -> float:
    videos = featured([actions], length=60, grid=SECOND)
    config = load_config(preset, {"model": {"num_classes": 1, "input_dim": 64}, "data": data})
    report = oracle_report(Annotations({"v0": videos[0].video}, ("jump",)), videos, config)
    assert report is not None
    return report.average


@pytest.mark.parametrize("preset", ["small", "tridet_small", "temporalmaxer_small"])
def test_actions_apart_are_all_found(preset: str) -> None:
    assert reached([[2.2, 5.1], [10, 14.7], [20.1, 40.9]], preset) == pytest.approx(1)


def test_actions_between_two_moments_are_lost() -> None:
    assert reached([[2.2, 5.1], [10.8, 11.0]]) == pytest.approx(0.5)
    assert reached([[10.8, 11.0]]) == 0


def test_windows_are_what_is_seen() -> None:
    """In windows of 10 seconds an action of 20 is seen nowhere; one of 3 is, also across the edge of a window."""
    assert reached([[2.2, 5.1], [8.5, 11.5]], window=10) == pytest.approx(1)
    assert reached([[20.1, 40.9]]) == pytest.approx(1)
    assert reached([[20.1, 40.9]], window=10) == 0
    assert reached([[2.2, 5.1], [20.1, 40.9]], window=10) == pytest.approx(0.5)
    assert reached([[8.5, 11.5]], window=10, test_overlap=0) < 1


def test_without_actions_there_is_no_report() -> None:
    videos = featured([[]], length=60, grid=SECOND)
    config = load_config("small", {"model": {"num_classes": 1, "input_dim": 64}})
    assert oracle_report(Annotations({"v0": videos[0].video}, ("jump",)), videos, config) is None
    assert np.isfinite(videos[0].end)
