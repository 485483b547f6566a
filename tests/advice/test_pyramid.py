"""Levels and ranges, worked by hand."""

import pytest
from facts import facts_of, reason, value


@pytest.mark.parametrize(
    ("longest", "blocks"),
    [(1, 2), (16, 2), (17, 3), (33, 4), (64, 4), (65, 5), (128, 5), (129, 6), (2049, 9), (9000, 9)],
)
def test_the_last_of_l_levels_begins_at_two_to_the_l_features(longest: float, blocks: int) -> None:
    facts = facts_of([longest] * 10, [5000])
    assert value("model.branch_blocks", facts) == blocks


def test_one_action_in_ten_may_be_longer_and_the_last_level_reaches_it() -> None:
    facts = facts_of([16.0] * 19 + [400.0], [5000])
    assert value("model.branch_blocks", facts) == 2
    assert value("model.regression_ranges", facts) == [[0, 4], [4, 8], [8, 10_000]]
    facts = facts_of([16.0] * 19 + [8000.0], [20_000])
    assert value("model.regression_ranges", facts) == [[0, 4], [4, 8], [8, 16_000]]


def test_boundaries_by_bins_reach_as_many_strides_of_the_last_level() -> None:
    facts = facts_of([16.0] * 19 + [400.0], [5000])  # 400 features are 25 bins of stride 16
    assert value("model.branch_blocks", facts, model={"detector": "tridet"}) == 5
    assert value("model.branch_blocks", facts, model={"detector": "tridet", "boundary": "plain"}) == 2


def test_short_recordings_have_no_level_of_a_single_moment() -> None:
    assert value("model.branch_blocks", facts_of([500.0], [20])) == 3  # 2^4 <= 20: four levels
    assert value("model.branch_blocks", facts_of([500.0], [5000])) == 7
    assert value("model.branch_blocks", facts_of([500.0], [5000]), data={"window": 20}) == 3
    assert value("model.branch_blocks", facts_of([500.0], [5000]), model={"max_length": 20}) == 3


def test_levels_of_one_stride_learn_the_same_distances() -> None:
    facts = facts_of([30.0] * 10)
    given = {"detector": "actionformer", "stem_levels": True}
    assert value("model.branch_blocks", facts, model=given) == 2
    assert value("model.regression_ranges", facts, model=given) == [[0, 4], [0, 4], [4, 8], [8, 10_000]]


def test_the_reason_is_what_decided() -> None:
    def why(*steps: float, length: int = 5000, **given: dict[str, object]) -> str:
        return reason("model.branch_blocks", facts_of(steps, [length]), **given)

    usual = "90% of the actions last up to {} features"
    assert why(*[40.0] * 10) == usual.format(40) + ": the last level begins at half of that, or above"
    assert why(*[2.0] * 10) == "3 are the fewest; " + usual.format(2)
    assert why(500.0, length=64) == "64 features have no more, though " + usual.format(500)
    assert why(500.0, data={"window": 64}) == "64 features have no more, though " + usual.format(500)
    assert why(9000.0, length=20_000) == "10 are the most, though " + usual.format("9000")
    bins = why(*[16.0] * 19, 400.0, model={"detector": "tridet"})
    assert bins == "the 16 bins of the last level reach the longest action, 400 features"
