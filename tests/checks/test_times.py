"""Times that cannot be meant are found, with their cause; times that can are not."""

from dataclasses import replace

import numpy as np
import pytest
from featured import featured
from hypothesis import given
from hypothesis import strategies as st

from actionformer.checks.times import check_actions
from actionformer.core.segments import TimeGrid

SECONDS: list[list[list[float]]] = [[[1, 4], [20, 26.5]], [[3, 5], [30, 38]], [], [[0.5, 2], [10, 39]]]
"""Of videos of 40 s."""


def scaled(factor: float, only: int | None = None) -> list[list[list[float]]]:
    return [
        [[time * (factor if only in (None, i) else 1) for time in action] for action in video]
        for i, video in enumerate(SECONDS)
    ]


def shifted(by: float) -> list[list[list[float]]]:
    return [[[time + by for time in action] for action in video] for video in SECONDS]


@pytest.mark.parametrize("duration", [None, 40.0])
@pytest.mark.parametrize(
    ("unit", "factor"),
    [("features", 7.5), ("frames", 30), ("ms", 1e3), ("samples at 16 kHz", 16e3), ("µs", 1e6), ("ns", 1e9)],
)
def test_times_in_another_unit(unit: str, factor: float, duration: float | None) -> None:
    """The first action of a video may still lie inside when it is counted in features."""
    finding, *_ = check_actions(featured(scaled(factor), duration=duration))
    assert (finding.kind, finding.severity, finding.total) == ("outside", "error", 6)
    assert finding.count == (6 if factor > 30 else 5 if factor == 30 else 3)
    assert f"in {unit}" in finding.advice


def test_frames_are_those_of_the_video_where_features_were_sampled_otherwise() -> None:
    (finding,) = check_actions(featured(scaled(50), duration=40.0, fps=50.0))
    assert "are the times in frames?" in finding.advice


def test_message_names_the_first_with_its_video_and_the_cause() -> None:
    (finding,) = check_actions(featured(scaled(1000), duration=40.0))
    assert str(finding) == (
        "6 of 6 actions lie outside of their video, the first is 1000 to 4000 s in 'v0', which lasts 40.00 s; "
        "are the times in ms? Times are in seconds from the video's start"
    )


def test_one_video_in_another_unit_is_a_part_that_is_lost() -> None:
    (finding,) = check_actions(featured(scaled(1000, only=1), duration=40.0))
    assert (finding.severity, finding.count, finding.total) == ("warning", 2, 6)
    assert "'v1'" in finding.example
    assert "in ms" in finding.advice


@pytest.mark.parametrize("by", [45.0, 3600.0, 1.7e9, -50.0])
def test_times_from_another_start(by: float) -> None:
    (finding,) = check_actions(featured(shifted(by), duration=40.0))
    assert (finding.severity, finding.count) == ("error", 6)
    if by > 0:
        assert "counted from another start than the video's" in finding.advice
    else:
        assert "correct them" in finding.advice


@pytest.mark.parametrize(
    ("factor", "cause"),
    [
        (1 / 60, "shares of the video's length or in minutes"),
        (1 / 40, "shares of the video's length"),
        (1 / 1000, "in another unit"),
    ],
)
def test_times_in_a_larger_unit(factor: float, cause: str) -> None:
    (finding,) = check_actions(featured([[[12 * factor, 24 * factor]], *scaled(factor)[1:]], duration=40.0))
    assert (finding.kind, finding.severity) == ("early", "warning")
    assert f"are the times {cause}" in finding.advice


@pytest.mark.parametrize(("factor", "cause"), [(1 / 60, "in minutes"), (1 / 40, "shares of the video's length")])
def test_one_video_in_a_larger_unit(factor: float, cause: str) -> None:
    (finding,) = check_actions(featured(scaled(factor, only=3), duration=40.0))
    assert (finding.severity, finding.count, finding.total) == ("warning", 1, 3)
    assert f"are their times {cause}?" in finding.advice
    assert "'v3'" in finding.example


def test_one_video_with_early_actions_is_healthy() -> None:
    early = [*SECONDS[:3], [[0.2, 1.5]]]
    assert check_actions(featured(early, duration=40.0)) == []


def test_minutes_of_an_hour() -> None:
    grid = TimeGrid(fps=30, stride=30, num_frames=30)
    (finding,) = check_actions(featured(scaled(1.5), length=3600, width=2048, grid=grid))
    assert "are the times in minutes?" in finding.advice


def test_actions_without_length() -> None:
    (finding,) = check_actions(featured([[[3, 3], [5, 5.0004]]]))
    assert (finding.kind, finding.severity, finding.count) == ("empty", "error", 2)
    (finding,) = check_actions(featured([[[3, 3], [5, 6], [7, 8]]]))
    assert (finding.kind, finding.severity, finding.count) == ("empty", "warning", 1)
    findings = check_actions(featured([[[3, 3], [50, 60]]]))  # neither kind alone is all
    assert {finding.severity for finding in findings} == {"error"}


def test_parts_beyond_the_end_are_said_and_rounding_is_not() -> None:
    (finding,) = check_actions(featured([[[1, 2], [30, 42]]], duration=40.0))
    assert (finding.kind, finding.severity, finding.count) == ("cut", "warning", 1)
    assert "training ignores that part" in str(finding)
    assert check_actions(featured([[[-0.5, 2], [30, 40.5]]], duration=40.0)) == []


def test_features_the_other_way_round_without_durations() -> None:
    (finding,) = check_actions(featured(SECONDS, length=64, width=297))
    assert (finding.kind, finding.severity) == ("outside", "error")
    assert "(64, 297): are they stored as (D, T)?" in finding.advice
    (finding,) = check_actions(featured(SECONDS, length=4096, width=297))
    assert (finding.kind, finding.severity) == ("early", "warning")
    assert "(4096, 297): are they stored as (D, T)?" in finding.advice


def test_features_the_other_way_round_that_are_wider_than_long() -> None:
    """1,024 channels of 40 s, read as 1,024 moments: 137 s, of which no video uses more than the first 28%."""
    many = [*SECONDS, *SECONDS, *SECONDS]
    (finding,) = check_actions(featured(many, length=1024, width=297))
    assert (finding.kind, finding.severity) == ("early", "warning")
    assert "(1024, 297): are they stored as (D, T)?" in finding.advice
    assert check_actions(featured(many, length=1024, width=64)) == []


def test_features_of_another_rate_are_no_unit_of_times() -> None:
    """Read at 60 fps, features of 30 fps cover half of their video."""
    (finding,) = check_actions(featured(SECONDS, grid=TimeGrid(fps=60, stride=4, num_frames=16)))
    assert "fps and stride of the features" in finding.advice
    assert " in " not in finding.advice


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 39), st.floats(0.01, 1)), max_size=5).map(
            lambda actions: [[start, start + length] for start, length in [*actions, (30.0, 8.0)]]
        ),
        max_size=6,
    ),
    st.sampled_from([None, 40.0]),
)
def test_times_inside_are_never_odd(videos: list[list[list[float]]], duration: float | None) -> None:
    assert check_actions(featured(videos, duration=duration)) == []


def test_no_actions_are_no_findings() -> None:
    assert check_actions([]) == check_actions(featured([[], []])) == []
    assert np.isfinite(featured([[]])[0].end)


def test_actions_before_the_first_picture_lie_outside() -> None:
    late = [replace(one, grid=replace(one.grid, start=5.0)) for one in featured([[[1, 4], [20, 26.5]], [[3, 12]]])]
    outside, cut = check_actions(late)
    assert (outside.kind, outside.count, cut.kind, cut.count) == ("outside", 1, "cut", 1)
    assert check_actions([replace(one, grid=replace(one.grid, start=0.5)) for one in featured([[[1, 4]]])]) == []
