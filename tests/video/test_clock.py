"""The clock of a video: rates, pauses and jumps, last pictures, by hand and by property; no file is read."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.video.clock import Clock, Rate, lasts, rate_of, usual_step


def rounded(times: list[float]) -> list[float]:
    """Steps between times that a container rounds to milliseconds."""
    return [round(b, 3) - round(a, 3) for a, b in itertools.pairwise(times)]


def every(step: float, count: int = 32) -> list[float]:
    return [i * step for i in range(count)]


@pytest.mark.parametrize("fps", [8, 10, 12.5, 15, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 120])
def test_a_stated_rate_that_the_times_bear_out_is_kept(fps: float) -> None:
    assert rate_of(fps, rounded(every(1 / fps))) == Rate(fps)


@pytest.mark.parametrize(
    ("stated", "times"),
    [
        (23.976, every(1 / 24)),
        (29.97, list(itertools.accumulate([0.0, *[0.0333, 0.05] * 16]))),  # film, as shown on television
        (30.0, list(itertools.accumulate([0.0, *[0.033, 0.034, 0.033, 0.066, 0.033, 0.025] * 5]))),  # a phone
        (26.0, [*every(1 / 30, 16), *(10 + i / 30 for i in range(16))]),  # with a pause
        (25.0, every(0.5, 5)),  # too few to contradict anything
        (25.0, []),
        (25.0, [0.0] * 20),
    ],
)
def test_rates_that_are_near_enough_are_no_contradiction(stated: float, times: list[float]) -> None:
    assert rate_of(stated, rounded(times)) == Rate(stated)


@pytest.mark.parametrize(
    ("stated", "times", "fps"),
    [
        (50.0, every(0.04), 25.0),  # fields
        (2.6, every(0.1), 10.0),  # the average of a recording with pauses
        (1000.0, every(1 / 30), 30.0),
        (30.0, every(0.1), 10.0),
        (25.0, [*every(0.1, 10), *(25 + t for t in every(0.1, 10)), *(90 + t for t in every(0.1, 12))], 10.0),
    ],
)
def test_a_rate_that_contradicts_the_times_is_taken_from_them(stated: float, times: list[float], fps: float) -> None:
    found = rate_of(stated, rounded(times))
    assert found is not None
    assert found.fps == fps
    assert found.doubt is not None
    assert f"{stated:g} frames per second" in found.doubt
    assert f"come {fps:g} per second" in found.doubt


def test_a_rate_that_is_not_stated_is_measured_or_guessed() -> None:
    wander = random.Random(0)
    jitter = list(itertools.accumulate(1 / 30 + wander.uniform(-0.012, 0.012) for _ in range(256)))
    found = rate_of(None, rounded(jitter), guesses=(1000.0,))
    assert found is not None
    assert found.fps == pytest.approx(30, rel=0.05)
    assert found.doubt == f"states no frame rate: {found.fps:g} is used, measured from the times of its pictures"
    assert rate_of(None, rounded(every(0.5)), guesses=(2.0,)) == Rate(2.0)  # FFmpeg saw the same
    assert rate_of(None, [], guesses=(25.0,)) == Rate(25.0)
    assert rate_of(None, []) is None


def test_an_average_of_all_pictures_is_not_lowered_by_a_slow_beginning() -> None:
    assert rate_of(12.0, every(1.0)[1:], counted=True) == Rate(12.0)
    found = rate_of(2.6, rounded(every(0.1)), counted=True)
    assert found is not None
    assert found.doubt == "has 2.6 frames per second on average, but its pictures come 10 per second, which is used"


@given(st.floats(1, 240), st.lists(st.floats(5, 86400), max_size=10), st.integers(0, 2**32))
def test_pauses_do_not_change_the_usual_step(fps: float, pauses: list[float], seed: int) -> None:
    steps = [1 / fps] * 21 + pauses
    random.Random(seed).shuffle(steps)
    assert usual_step(steps) == pytest.approx(1 / fps)


def test_how_long_a_picture_lasts() -> None:
    assert lasts(4.9, 0.1, 0.1, ()) == 0.1
    assert lasts(4.9, 0.0, 0.1, ()) == 0.1  # not said
    assert lasts(4.9, 60.0, 0.1, (64.9,)) == 60.0  # until the stated end
    assert lasts(4.9, 60.0, 0.1, (64.6, 3.0)) == 60.0
    assert lasts(4.9, 60.0, 0.1, (30.0,)) == 0.1
    assert lasts(4.9, 60.0, 0.1, ()) == 0.1
    assert lasts(90.0, 30.0, 30.0, ()) == 30.0  # a slide every half minute
    assert lasts(0.0, 2e9, 0.1, (2e9,)) == 0.1  # who would believe that


def times(clock: Clock, stamps: list[float | None]) -> list[float]:
    return [round(clock.time(stamp, 0.1, 0.1), 6) for stamp in stamps]


def test_pauses_of_an_absolute_clock_are_kept() -> None:
    clock = Clock(joined=False, end=None)
    assert times(clock, [0.0, 0.1, 25.0, 25.1, 86425.0]) == [0.0, 0.1, 25.0, 25.1, 86425.0]
    assert clock.jumps == 0


def test_jumps() -> None:
    clock = Clock(joined=True, end=None)
    assert times(clock, [5.0, 5.1, 30.0, 30.1, 2.0, 11.0]) == [5.0, 5.1, 5.2, 5.3, 5.4, 14.4]
    assert clock.jumps == 2
    clock = Clock(joined=False, end=6.0)
    assert times(clock, [5.0, 16.0, 16.1, 5.0]) == [5.0, 16.0, 16.1, 16.2]  # near the end, and back
    assert clock.jumps == 1
    clock = Clock(joined=False, end=6.0)
    assert times(clock, [5.0, 26.0]) == [5.0, 5.1]  # far beyond the end
    assert times(Clock(joined=False, end=None), [1.0, 0.9, None, 1.05]) == [1.0, 1.0, 1.1, 1.1]


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=30), st.booleans(), st.none() | st.floats(0, 1e9))
def test_no_clock_goes_back(stamps: list[float | None], joined: bool, end: float | None) -> None:
    found = times(Clock(joined=joined, end=end), stamps)
    assert all(second >= first - 1e-5 for first, second in itertools.pairwise(found))
