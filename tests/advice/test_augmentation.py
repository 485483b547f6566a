"""What features are made uncertain by."""

import pytest
from facts import facts_of, value, values

from actionformer.advice.advised import advised

JITTER = ("data.feature_shift", "data.feature_noise", "data.feature_dropout")


@pytest.mark.parametrize(("videos", "expected"), [(100, (0.5, 0.6, 0.2)), (101, (0.3, 0.3, None))])
def test_few_videos_need_more_jitter(videos: int, expected: tuple[float | None, ...]) -> None:
    said = values(advised(facts_of(lengths=[300] * videos)))
    assert tuple(said.get(name) for name in JITTER) == expected


def test_sensors_are_turned_instead() -> None:
    said = values(advised(facts_of(axes=6)))
    assert (said["data.sensor_axes"], said["data.sensor_rotation"]) == (6, 60.0)
    assert not said.keys() & set(JITTER)


def test_sensors_that_the_user_names_are_believed() -> None:
    assert value("data.sensor_rotation", facts_of(), data={"sensor_axes": 9}) == 60.0
    assert value("data.sensor_rotation", facts_of(axes=6), data={"sensor_rotation": 10}) == 10.0
