"""What features are made uncertain by."""

from dataclasses import replace

import numpy as np
import pytest
from facts import facts_of, value, values

from actionformer.advice.advised import advised
from actionformer.core.segments import TimeGrid
from actionformer.data.dataset import TrainingVideo

GRID = TimeGrid(fps=1, stride=1, num_frames=1)
JITTER = ("data.feature_shift", "data.feature_noise", "data.feature_dropout")


@pytest.mark.parametrize(("videos", "expected"), [(100, (0.5, 0.6, 0.2)), (101, (0.3, 0.3, None))])
def test_few_videos_need_more_jitter(videos: int, expected: tuple[float | None, ...]) -> None:
    said = values(advised(facts_of(lengths=[300] * videos)))
    assert tuple(said.get(name) for name in JITTER) == expected


@pytest.mark.parametrize(("videos", "share", "expected"), [(100, 0.5, True), (101, 0.5, None), (100, 0.6, None)])
def test_few_videos_are_centred_unless_their_mean_is_that_of_an_action(
    videos: int, share: float, expected: bool | None
) -> None:
    """Nine videos in ten have a class in so much of them, in two actions; one is that action from end to end."""
    cut = [np.array([[0, 100 * share], [200, 200 + 200 * share]], np.float32)] * (videos - 1)
    segments = [*cut, np.array([[0, 300]], np.float32)]
    labels = [np.zeros(len(one), np.int64) for one in segments]
    placed = tuple(
        TrainingVideo(str(i), np.zeros((300, 2), np.float32), GRID, one, label)
        for i, (one, label) in enumerate(zip(segments, labels, strict=True))
    )
    facts = replace(facts_of(lengths=[300] * videos), videos=placed)
    assert facts.coverage == pytest.approx(share)
    assert replace(facts, lengths=2 * facts.lengths).coverage == pytest.approx(share / 2)  # of the resized length
    assert values(advised(facts)).get("data.center_videos") == expected


def test_sensors_are_turned_instead() -> None:
    said = values(advised(facts_of(axes=6)))
    assert (said["data.sensor_axes"], said["data.sensor_rotation"]) == (6, 60.0)
    assert not said.keys() & {*JITTER, "data.center_videos"}


def test_sensors_that_the_user_names_are_believed() -> None:
    assert value("data.sensor_rotation", facts_of(), data={"sensor_axes": 9}) == 60.0
    assert value("data.sensor_rotation", facts_of(axes=6), data={"sensor_rotation": 10}) == 10.0
