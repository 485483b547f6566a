"""Windows for detectors that take one length only."""

import numpy as np
import pytest
from facts import facts_of, reason, value, values

from actionformer.advice.advised import advised
from actionformer.advice.facts import Facts
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import FeaturedVideo
from actionformer.data.settings import DataSettings
from actionformer.features import Features, FeatureSpec

BMN: dict[str, dict[str, object]] = {"model": {"detector": "bmn"}}


@pytest.mark.parametrize(
    ("action", "length", "window", "duration"),
    [
        (40.5, 1000, 96, 42),
        (3.0, 1000, 64, 4),
        (100.0, 1000, 224, 101),
        (200.0, 1000, 256, 201),
        (300.0, 1000, 256, 256),
        (60.0, 90, 96, 61),
    ],
)
def test_twice_the_longest_action_within_bounds(action: float, length: int, window: int, duration: int) -> None:
    said = values(advised(facts_of([2.0, action], [length]), BMN))
    assert (said["data.window"], said["model.max_length"], said["model.max_duration"]) == (window, window, duration)


def test_all_detectors_with_a_map_of_segments_have_the_same_windows() -> None:
    facts = facts_of([2.0, 40.5], [1000])
    both = [values(advised(facts, {"model": {"detector": name}})) for name in ("bmn", "gtad")]
    names = ("data.window", "model.max_length", "model.max_duration", "decoding.top_k")
    assert [both[0][name] for name in names] == [both[1][name] for name in names]


def test_what_cannot_be_found_is_said() -> None:
    said = {one.name: one.reason for one in advised(facts_of([2.0, 300.0, 400.0], [1000]), BMN).advice}
    assert said["model.max_duration"] == (
        "windows have no more; 2 actions of up to 400 features cannot be found"
    )  # fmt: skip


def test_detectors_of_any_length_have_none_and_a_window_that_is_given_stays() -> None:
    assert value("data.window", facts_of()) is None
    assert "decoding.top_k" not in values(advised(facts_of()))
    said = values(advised(facts_of([50.0], [1000]), BMN | {"data": {"window": 40}}))
    assert (said["data.window"], said["model.max_duration"]) == (40, 40)
    assert "data.window" not in values(advised(facts_of([50.0], [64]), BMN | {"data": {"resize": 64}}))


def test_batches_and_epochs_count_windows() -> None:
    """Windows of 64 every 32 features: 28 of them begin before the last action, which ends at 899."""
    segments = np.array([[10.0 * i, 10.0 * i + 9] for i in range(90)])
    video = AnnotatedVideo("a", "training", 1000.0, None, segments, np.zeros(90, int))
    featured = FeaturedVideo(video, Features((), (1000, 4)), TimeGrid(fps=1, stride=1, num_frames=1), FeatureSpec())
    facts = Facts.of([featured], DataSettings())
    reasons = {one.name: one.reason for one in advised(facts, BMN).advice}
    assert reasons["training.batch_size"] == "28 sequences per epoch"


def test_a_detector_of_queries_has_twice_as_many_as_the_fullest_sequence_and_its_own_training() -> None:
    tadtr = {"model": {"detector": "tadtr"}}
    said = advised(facts_of([2.0, 200.0], [1000, 1000], labels=[[0] * 30, [1]]), tadtr | {"data": {"resize": 500}})
    found = values(said)
    assert found["model.num_queries"] == 60
    longer = values(advised(facts_of([2.0, 200.0], [1000]), tadtr))
    assert (longer["data.window"], longer["model.num_queries"]) == (416, 20)  # no map of all segments: no bound of 256
    assert (found["training.learning_rate"], found["training.gradient_clip"]) == (5e-4, 0.1)
    assert (found["suppression.method"], found["suppression.window_tiou"]) == ("none", 0.4)
    names = [one.name for one in said.advice]
    assert len(names) == len(set(names))
    given = tadtr | {"training": {"gradient_clip": 1.0}}
    assert values(advised(facts_of(), given))["training.gradient_clip"] == 1.0
    assert "training.gradient_clip" not in values(advised(facts_of()))


def test_a_detector_of_a_pyramid_in_windows_has_neither_map_nor_queries() -> None:
    found = values(advised(facts_of([2.0, 200.0], [1000]), {"model": {"detector": "afsd"}}))
    assert (found["data.window"], found["model.max_length"], found["model.width"]) == (416, 416, 128)
    assert found["training.weight_decay"] == 1e-3
    assert not {"model.max_duration", "model.num_queries", "model.branch_blocks", "decoding.top_k"} & found.keys()


@pytest.mark.parametrize(
    ("action", "length", "words"),
    [
        (5.0, 1000, "the least; the longest action has 5 features"),
        (40.0, 1000, "twice the longest action, 40 features: windows overlap by half"),
        (60.0, 90, "all of the longest recording, 90 features"),
        (300.0, 1000, "longer ones take too long, though the longest action has 300 features"),
    ],
)
def test_the_reason_is_what_decided(action: float, length: int, words: str) -> None:
    assert reason("data.window", facts_of([action], [length]), **BMN).startswith(words)
