"""How long the sequences of training are."""

import pytest
from facts import facts_of, value


@pytest.mark.parametrize(
    ("lengths", "action", "expected"),
    [
        ([100, 300], 10, 512),
        ([256], 10, 256),
        ([2304], 10, 2304),
        ([2305], 10, 2304),
        ([100_000], 10, 2304),
        ([100_000], 1000, 4096),  # four times the longest action
        ([100_000], 10_000, 16_384),  # and no more than that
        ([3000], 1000, 3072),  # all of it, which is less
    ],
)
def test_all_of_a_recording_or_several_times_the_longest_action(
    lengths: list[int], action: float, expected: int
) -> None:
    assert value("model.max_length", facts_of([action], lengths)) == expected


def test_windows_are_the_sequences_where_they_are_given() -> None:
    assert value("model.max_length", facts_of(), data={"window": 192}) == 192
