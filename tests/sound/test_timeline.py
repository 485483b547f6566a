import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.errors import InputError
from actionformer.sound.timeline import AHEAD, LONGEST_SILENCE, Piece, check_silence, joined

RATE = 1000


def piece(time: float, *samples: float, rate: int = RATE) -> Piece:
    return Piece(time, rate, np.array(samples, np.float32))


def laid(*pieces: Piece) -> list[float]:
    return [float(sample) for _, samples in joined(pieces) for sample in samples]


def test_pieces_that_follow_one_another_are_joined() -> None:
    assert laid(piece(0, 1, 2), piece(0.002, 3)) == [1, 2, 3]


def test_what_is_missing_is_silence_before_the_first_and_between() -> None:
    assert laid(piece(0.003, 1), piece(0.012, 2)) == [0, 0, 0, 1, *8 * [0.0], 2]


def test_what_lies_before_time_0_or_before_the_end_of_what_is_there_is_left_out() -> None:
    assert laid(piece(-0.002, 1, 2, 3)) == [3]
    ten = [float(number) for number in range(10)]
    assert laid(piece(0, *ten), piece(0.002, *range(20, 30))) == [*ten, 28, 29]
    assert laid(piece(0, *ten), piece(0.002, 1, 2)) == ten


def test_a_time_within_the_tolerance_is_rounding_and_does_not_add_up() -> None:
    pieces = [piece(number * 0.0023, 1, 1) for number in range(AHEAD + 20)]  # 0.3 ms more than they last
    late = [len([0 for sample in laid(*pieces[: count + 1]) if sample == 0]) for count in range(len(pieces))]
    assert late[16] == 0  # 4.8 ms late
    assert late[17] == 5  # 5.1 ms late
    assert late[27] == 5


def test_a_time_that_the_next_piece_takes_back_is_none() -> None:
    """As FFmpeg's times of Vorbis: a piece is said to come 10 ms late, and the next one is where it was expected."""
    steady = [piece(number * 0.01, *10 * [1.0]) for number in range(20)]
    wrong = [*steady[:7], piece(0.08, *10 * [1.0]), *steady[8:]]
    assert laid(*wrong) == laid(*steady)


def test_a_time_that_all_that_follow_agree_with_is_right() -> None:
    steady = [piece(number * 0.01, *10 * [1.0]) for number in range(20)]
    later = [piece(number * 0.01 + 0.02, *10 * [1.0]) for number in range(20, 40)]
    assert laid(*steady, *later) == [*200 * [1.0], *20 * [0.0], *200 * [1.0]]


def test_a_rate_that_changes_goes_on_where_the_other_ends() -> None:
    stretches = list(joined([piece(0, 1, 1), piece(0.002, 2, 2, 2, 2, rate=2000), piece(0.024, 3)]))
    assert [rate for rate, _ in stretches] == [1000, 2000, 1000, 1000]
    assert [samples.tolist() for _, samples in stretches] == [[1, 1], [2, 2, 2, 2], 20 * [0], [3]]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.floats(0, 3))
def test_however_times_are_rounded_all_samples_are_there_in_order(lengths: list[int], begin: float) -> None:
    starts = np.concatenate([[0], np.cumsum(lengths)])
    whole = np.arange(1, starts[-1] + 1, dtype=np.float32)
    pieces = [
        Piece(round(begin + start / RATE, 3), RATE, whole[start : start + length])
        for start, length in zip(starts, lengths, strict=False)
    ]
    found = laid(*pieces)
    assert found[-len(whole) :] == whole.tolist()
    assert len(found) - len(whole) == pytest.approx(begin * RATE, abs=1)


def test_silence_of_more_than_a_day_cannot_be() -> None:
    check_silence(LONGEST_SILENCE)
    with pytest.raises(InputError, match="nothing is heard for 90000 s, which cannot be"):
        laid(piece(90_000, 1))
