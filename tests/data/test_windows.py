"""Windows that cover a sequence, and the actions that each shows."""

from dataclasses import replace

import numpy as np
import pytest
from featured import featured
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.segments import TimeGrid
from actionformer.data.dataset import TrainingVideo, place_on_grid
from actionformer.data.settings import DataSettings
from actionformer.data.windows import in_a_window, training_set, training_windows, window_starts

SECOND = TimeGrid(fps=30, stride=30, num_frames=30)
"""A feature per second; moments lie at 0.5, 1.5, ... s."""


@pytest.mark.parametrize(
    ("length", "window", "overlap", "starts"),
    [
        (100, 40, 0.5, [0, 20, 40, 60]),
        (110, 40, 0.5, [0, 20, 40, 60, 70]),  # the last moves left
        (110, 40, 0.0, [0, 40, 70]),
        (110, 40, 0.75, [0, 10, 20, 30, 40, 50, 60, 70]),
        (40, 40, 0.5, [0]),
        (7, 40, 0.5, [0]),  # padded
        (160, 100, 0.8, [0, 20, 40, 60]),  # though 1 less 0.8 is a little less than 0.2
        (3, 2, 0.9, [0, 1]),  # a step is at least 1
    ],
)
def test_starts_by_hand(length: int, window: int, overlap: float, starts: list[int]) -> None:
    assert window_starts(length, window, overlap) == starts


@given(st.integers(1, 500), st.integers(1, 80), st.floats(0, 0.99))
def test_every_feature_lies_in_a_window_and_no_window_reaches_out(length: int, window: int, overlap: float) -> None:
    starts = window_starts(length, window, overlap)
    rows = [row for start in starts for row in range(start, min(start + window, length))]
    assert set(rows) == set(range(length))
    assert starts == sorted(set(starts))
    assert starts[-1] == max(length - window, 0)


def placed(segments: list[list[float]], length: int = 100) -> TrainingVideo:
    (video,) = place_on_grid(featured([segments], length=length, grid=SECOND), None)
    return video


def test_an_action_belongs_to_the_windows_that_show_half_of_it() -> None:
    """Grid steps are seconds less a half. Windows have their features at 0..39, 20..59, 40..79, 60..99."""
    video = placed([[30.5, 50.5], [90.5, 99.5]])
    windows = training_windows([video], DataSettings(window=40, train_overlap=0.5, min_overlap=0.5))
    assert [(window.id, window.first, window.segments.tolist()) for window in windows] == [
        (video.id, 20, [[10, 30]]),  # 30..50 whole; of the first window it has 9 of 20, of the third 10 of 20
        (video.id, 40, [[0, 10]]),
        (video.id, 60, [[30, 39]]),
    ]
    features = np.random.default_rng(0).standard_normal((100, 3)).astype(np.float32)
    for window in training_windows([replace(video, features=features)], DataSettings(window=40)):
        assert window.features.shape == (40, features.shape[1])
        np.testing.assert_array_equal(window.features[:], features[window.first : window.first + 40])
        np.testing.assert_array_equal(window.features[5:12], features[window.first + 5 : window.first + 12])


def test_an_action_that_no_window_shows_enough_of() -> None:
    video = placed([[10.5, 90.5], [5.5, 8.5]])
    assert in_a_window(video, DataSettings(window=40)).tolist() == [False, True]
    assert in_a_window(video, DataSettings(window=90)).tolist() == [True, True]


def test_without_windows_videos_stay_as_they_are() -> None:
    videos = [placed([]), placed([[1, 2]])]
    assert training_windows(videos, DataSettings()) == videos


def test_the_training_set_is_made_of_windows() -> None:
    videos = featured([[[30.5, 50.5]], []], length=100, grid=SECOND)
    data = DataSettings(window=40)
    windows = training_set(videos, data=data, max_length=40, seed=0)
    assert [video.first for video in windows.videos] == [20, 40]
    assert [windows.crop(0, row).stop for row in range(2)] == [40, 40]  # no crop of a window
    assert len(training_set(videos, data=DataSettings(), max_length=40, seed=0)) == 2


def test_proposals_belong_to_windows_as_actions_do() -> None:
    video = replace(placed([[30.5, 50.5]]), proposals=np.array([[30.0, 50.0], [0.0, 99.0]], np.float32))
    windows = training_windows([video], DataSettings(window=40, train_overlap=0.5, min_overlap=0.35))
    shown = [(window.first, window.proposals.tolist()) for window in windows if window.proposals is not None]
    assert shown == [(0, [[30, 39], [0, 39]]), (20, [[10, 30], [0, 39]]), (40, [[0, 10], [0, 39]])]


def test_training_windows_overlap_as_training_says() -> None:
    data = DataSettings(window=40, train_overlap=0.75, test_overlap=0.25)
    video = placed([[0.5, 99.5]])
    windows = training_windows([video], data.model_copy(update={"min_overlap": 0.1}))
    assert [window.first for window in windows] == [0, 10, 20, 30, 40, 50, 60]
    seldom = data.model_copy(update={"min_overlap": 0.6})
    assert in_a_window(placed([[30.5, 70.5]]), seldom).tolist() == [
        True
    ]  # 30 to 69 has 30 of 40; by quarters 20 at most
