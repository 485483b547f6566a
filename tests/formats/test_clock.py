"""Clocks of tables of readings, worked by hand."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.formats.clock import Clock, clock_of


@pytest.mark.parametrize(
    ("name", "step", "fps", "unit", "rate", "told"),
    [
        ("t", 0.02, None, 1, 50, False),
        ("t", 0.02, 50, 1, 50, False),
        ("t", 20, 50, 1e3, 50, False),
        ("t", 20_000, 50, 1e6, 50, False),
        ("t", 2e7, 50, 1e9, 50, False),
        ("t", 10, None, 1e3, 100, True),
        ("t", 10, 50, 1e3, 100, True),
        ("t", 1, 1, 1, 1, False),
        ("t", 1, 1000, 1e3, 1000, False),
        ("time_s", 20, 50, 1, 0.05, False),
        ("time_ms", 10, 50, 1e3, 100, False),
        ("time (100ns)", 200_000, None, 1e7, 50, False),
        ("t", 0.001, None, 1, 1000, False),
        ("t", 0.02 / 60, None, 1, 3000, True),
        ("t", 0.0005, 2000, 1, 2000, False),
    ],
)
def test_the_unit_is_that_of_the_name_or_fits_the_rate(
    name: str, step: float, fps: float | None, unit: float, rate: float, told: bool
) -> None:
    clock = clock_of(name, 5 * step + step * np.arange(100.0), dates=False, fps=fps)
    assert (clock.per_second, clock.origin, clock.rate, clock.doubt is not None) == (unit, 0.0, rate, told)


def test_what_is_guessed_is_told_with_what_to_do() -> None:
    clock = clock_of("clock", np.arange(0.0, 900, 9), dates=False, fps=None)
    assert clock.doubt == (
        "its column clock is taken for milliseconds, 111 rows a second: if that is wrong, end its name with its unit: "
        "_s, _ms, _us, _ns, _min, _h or _days"
    )


@pytest.mark.parametrize(("unit", "first"), [(1.0, 1.7e9), (1e3, 1.7e12), (1e6, 1.7e15), (1e9, 1.7e18)])
def test_clocks_of_dates_count_from_the_first_row(unit: float, first: float) -> None:
    times: NDArray[np.float64] = np.arange(100.0) * 0.02 * unit + first
    clock = clock_of("timestamp", times, dates=False, fps=None)
    assert (clock.per_second, clock.origin, clock.rate, clock.doubt) == (unit, first, 50.0, None)
    assert np.allclose(clock.seconds(times), np.arange(100) * 0.02, atol=1e-6)


@pytest.mark.parametrize(
    ("first", "step", "unit"),
    [
        (1.7e9, 1.0, 1.0),  # once a second
        (1.7e12, 1000.0, 1e3),
        (1.7e12, 2000.0, 1e3),
        (1.7e9, 20.0, 1e3),  # a telephone that has been on for 20 days
        (1.7e12, 2e7, 1e9),  # and one for 28 minutes
        (1.7e15, 2e7, 1e9),
    ],
)
def test_slow_clocks_of_dates_and_fast_ones_that_began_long_ago(first: float, step: float, unit: float) -> None:
    assert clock_of("timestamp", first + step * np.arange(100.0), dates=False, fps=None).per_second == unit


@pytest.mark.parametrize("first", [45292.5, 739253.5])
def test_dates_of_spreadsheets_and_of_matlab_count_days(first: float) -> None:
    clock = clock_of("time", first + np.arange(100.0) / 50 / 86400, dates=False, fps=None)
    assert (clock.per_second, clock.origin, clock.rate, clock.doubt) == (1 / 86400, first, 50.0, None)


def test_dates_and_negative_times_count_from_the_first_row() -> None:
    assert clock_of("when", np.arange(5.0) + 7, dates=True, fps=None) == Clock(1.0, 7.0, 1.0)
    assert clock_of("time_s", np.arange(-2.0, 2, 0.5), dates=False, fps=None) == Clock(1.0, -2.0, 2.0)


def test_rates_of_clocks_that_are_odd() -> None:
    coarse = np.repeat(np.arange(10.0), 50)
    assert clock_of("time_s", coarse, dates=False, fps=None).rate == 50.0
    gaps = np.delete(np.arange(0, 20, 0.02), slice(100, 400))
    assert clock_of("time_s", gaps, dates=False, fps=None).rate == 50.0
    bursts = (np.arange(0, 10, 0.1)[:, None] + [0, 1e-4, 2e-4, 3e-4, 4e-4]).ravel()
    assert clock_of("time_s", bursts, dates=False, fps=None).rate == pytest.approx(50, rel=0.05)
    assert clock_of("time_s", np.arange(0, 10, 0.02005), dates=False, fps=None).rate == 50.0
    assert clock_of("time_s", np.arange(0, 10, 0.032), dates=False, fps=None).rate == 31.25
    in_milliseconds = np.floor(np.arange(1000) * 1000 / 120)  # steps of 8 and 9
    assert clock_of("time_ms", in_milliseconds, dates=False, fps=None).rate == 120.0
    assert clock_of("time_s", np.arange(0, 10, 0.023), dates=False, fps=None).rate == 43.48
    with pytest.raises(InputError, match="column t holds 1 different times"):
        clock_of("t", np.ones(9), dates=False, fps=50)
    with pytest.raises(InputError, match="column t holds 0 different times"):
        clock_of("t", np.array([1e300, -1e308, math.nan]), dates=False, fps=50)
    with pytest.raises(InputError, match=r"column t rises by 1e-20 a row: is it a clock\?"):
        clock_of("t", np.array([0, 1e-20, 2e-20]), dates=False, fps=50)


@pytest.mark.parametrize(("times", "told"), [([0, 60, 120], True), ([36000, 36060], False), ([0, 60, 90], False)])
def test_minutes_and_seconds_may_be_meant_by_hours_and_minutes(times: list[float], told: bool) -> None:
    doubt = clock_of("elapsed", np.array(times, np.float64), dates=True, fps=None).doubt
    assert (doubt == "its column elapsed is taken for hours and minutes: write minutes and seconds as 0:01:23") == told
