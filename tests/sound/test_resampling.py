import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounding import centre, clicks

from actionformer.sound.resampling import resampled


def converted(samples: np.ndarray, rate: int, cuts: tuple[int, ...] = ()) -> np.ndarray:
    parts = [part for part in np.split(samples, sorted(cuts)) if len(part)]
    return np.concatenate(list(resampled(((rate, part) for part in parts), 16_000)))


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_056, 44_100, 48_000, 96_000, 192_000])
def test_a_click_stays_where_it_is_to_a_microsecond(rate: int) -> None:
    """Over 20 s: a rate that is off by one sample a second would be off by a millisecond."""
    sound = clicks([0.5, 19.5], 20.0, rate, hertz=1500)
    found = converted(sound, rate)
    assert len(found) == 20 * 16_000
    for time in (0.5, 19.5):
        assert centre(found, time) == pytest.approx(centre(sound, time, rate), abs=1e-6)


@settings(max_examples=20)
@given(st.sets(st.integers(0, 5000), max_size=12), st.sampled_from([8_000, 44_100, 48_000]))
def test_how_the_sound_comes_does_not_matter(cuts: set[int], rate: int) -> None:
    sound = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    found = converted(sound, rate, tuple(cuts))
    np.testing.assert_allclose(found, converted(sound, rate), atol=1e-6)
    assert len(found) == round(5000 / rate * 16_000)


def test_sound_of_the_wanted_rate_is_left_alone() -> None:
    sound = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    np.testing.assert_array_equal(converted(sound, 16_000, (7, 70_000)), sound)


def test_what_lies_above_half_the_new_rate_is_taken_away() -> None:
    at = np.arange(44_100) / 44_100
    tones = [np.sin(2 * np.pi * hertz * at).astype(np.float32) for hertz in (1000, 12_000)]
    kept, gone = (np.sqrt((converted(tone, 44_100)[1000:-1000] ** 2).mean()) for tone in tones)
    assert kept == pytest.approx(0.5**0.5, abs=1e-3)
    assert gone < 1e-3


def test_changes_of_rate_do_not_add_up() -> None:
    """A hundred stretches of 101 samples at 11,025 a second and 301 at 48,000, which end beside the samples made."""
    stretches = [(rate, np.ones(count, np.float32)) for rate, count in 100 * [(11_025, 101), (48_000, 301)]]
    made = sum(len(samples) for samples in resampled(stretches, 16_000))
    assert made == round(100 * (101 / 11_025 + 301 / 48_000) * 16_000)
