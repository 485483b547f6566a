"""Batches, epochs and rates, worked by hand."""

import pytest
from facts import facts_of, reason, value, values

from actionformer.advice.advised import advised


@pytest.mark.parametrize(
    ("videos", "batch", "sorted_", "warmup", "epochs", "every"),
    [
        (1, 2, False, 71, 429, 83),  # 500 epochs at most
        (14, 2, False, 14, 86, 17),  # 7 steps per epoch: 100 epochs make 700
        (40, 2, False, 5, 30, 6),
        (100, 2, False, 2, 18, 3),  # 20 epochs at least
        (101, 4, None, 4, 26, 5),  # 30 epochs at least
        (401, 8, None, 4, 26, 5),
        (2_000, 8, None, 4, 26, 5),
        (2_001, 16, None, 2, 13, 2),  # 15
    ],
)
def test_as_many_epochs_as_make_enough_steps(
    videos: int, batch: int, sorted_: bool | None, warmup: int, epochs: int, every: int
) -> None:
    said = values(advised(facts_of(lengths=[300] * videos)))
    assert said["training.batch_size"] == batch
    assert said.get("training.batch_by_length") == sorted_
    assert (said["training.warmup_epochs"], said["training.epochs"]) == (warmup, epochs)
    assert said["training.evaluate_every"] == every


@pytest.mark.parametrize(("videos", "warmup", "epochs"), [(14, 14, 86), (401, 2, 12), (2_001, 1, 11)])
def test_a_map_of_all_segments_needs_fewer_epochs(videos: int, warmup: int, epochs: int) -> None:
    facts = facts_of(lengths=[300] * videos)
    said = values(advised(facts, {"model": {"detector": "bmn"}, "data": {"resize": 64}}))  # a sequence of each
    assert (said["training.warmup_epochs"], said["training.epochs"]) == (warmup, epochs)


def test_what_is_given_of_the_epochs_is_the_measure_of_the_rest() -> None:
    facts = facts_of(lengths=[300] * 40)
    said = values(advised(facts, {"training": {"epochs": 6}}))
    assert (said["training.warmup_epochs"], said["training.epochs"], said["training.evaluate_every"]) == (1, 6, 1)
    short = advised(facts, {"training": {"epochs": 1}})
    assert (
        next(one.reason for one in short.advice if one.name == "training.evaluate_every") == "2 evaluations in the run"
    )
    said = values(advised(facts, {"training": {"warmup_epochs": 0}}))
    assert said["training.epochs"] == 35
    assert values(advised(facts, {"training": {"accumulate": 4}}))["training.epochs"] == 120  # of 140 of 5 steps


def test_windows_count_as_sequences() -> None:
    assert value("training.epochs", facts_of(lengths=[1000], labels=[[0]] * 19)) == 60  # of 70, 10 steps each


@pytest.mark.parametrize(("width", "rate"), [(512, 0.00025), (128, 0.001), (64, 0.002), (16, 0.002)])
def test_wider_networks_learn_in_smaller_steps(width: int, rate: float) -> None:
    assert value("training.learning_rate", facts_of(), model={"width": width}) == rate


def test_a_class_in_hardly_any_video_is_repeated() -> None:
    usual = [[0]] * 98 + [[0, 0, 1]]
    assert value("training.repeat_rare", facts_of(labels=[*usual, [1]])) is None  # two videos in a hundred
    facts = facts_of(labels=[*usual, []])
    (said,) = (one for one in advised(facts).advice if one.setting == "repeat_rare")
    assert said.value == 0.3
    assert said.reason.startswith("the rarest class is in 1.0% of the sequences")
    assert value("training.repeat_rare", facts, training={"repeat_rare": 0.0}) == 0


def test_repeated_sequences_make_an_epoch_longer() -> None:
    facts = facts_of(labels=[[0]] * 99 + [[1]])
    given: dict[str, object] = {"repeat_rare": 0.81, "batch_size": 1}  # that of class 1 comes 9 times
    assert value("training.epochs", facts, training=given) == 26  # 30 at least of more than 100 sequences
    assert value("training.epochs", facts, training={**given, "repeat_rare": 0.0}) == 18


def test_the_warm_up_is_a_seventh_or_one_epoch() -> None:
    facts = facts_of([5.0] * 10, [500] * 10)
    assert reason("training.warmup_epochs", facts) == "a seventh of the run: the learning rate rises slowly"
    one = reason("training.warmup_epochs", facts, training={"epochs": 1})
    assert one == "one epoch: the learning rate rises slowly"
