import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actionformer.backbones.mel import BANDS, OFFSET, WINDOW, LogMel, log_mel, mel_weights
from actionformer.sound.medium import HOP


def tone(hertz: float, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(16_000 * seconds)) / 16_000)).astype(np.float32)


def frames_of(sound: np.ndarray) -> np.ndarray:
    return np.stack(list(LogMel()(sound.reshape(-1, HOP))))


def test_the_published_patch_comes_out(shared: Path) -> None:
    """Coral's test sound and patch, which was made at full scale, and with 0.01 before the logarithm in place of 0.001.

    The file of the network was measured with 0.001: its input reaches down to -6.93, where ln 0.001 is -6.91.
    """
    folder = shared / "data" / "weights"
    sound = np.fromfile(folder / "yamnet_test_audio.bin", np.int16).astype(np.float32)
    patch = np.fromfile(folder / "yamnet_test_spectra.bin", np.float32).reshape(96, BANDS)
    np.testing.assert_allclose(log_mel(sound / np.abs(sound).max(), offset=0.01), patch, atol=2e-5)


def test_the_formula_term_by_term() -> None:
    """One window by a sum over its samples, and one band by its triangle."""
    sound = np.random.default_rng(0).normal(size=WINDOW)
    hann = np.array([0.5 - 0.5 * np.cos(2 * np.pi * n / WINDOW) for n in range(WINDOW)])

    def mel(hertz: float) -> float:
        return float(1127 * np.log(1 + hertz / 700))

    step = (mel(7500) - mel(125)) / 65
    for band in (0, 17, 63):
        low, middle, high = (mel(125) + step * (band + corner) for corner in range(3))
        total = 0.0
        for bin in range(1, 257):
            at = mel(bin * 16_000 / 512)
            weight = max(0.0, min((at - low) / (middle - low), (high - at) / (high - middle)))
            if weight:
                waves = np.exp(-2j * np.pi * bin * np.arange(WINDOW) / 512)
                total += weight * abs((sound * hann * waves).sum())
        found = log_mel(sound.astype(np.float32))
        assert found.shape == (1, BANDS)
        assert found[0, band] == pytest.approx(np.log(total + OFFSET), abs=1e-4)


@pytest.mark.parametrize("hertz", [200, 440, 1000, 3000, 7000])
def test_a_tone_is_in_the_band_of_its_frequency(hertz: float) -> None:
    loudest = frames_of(tone(hertz))[50].argmax()
    middles = 700 * (np.exp(np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), 66)[1:-1] / 1127) - 1)
    assert abs(loudest - np.abs(middles - hertz).argmin()) <= 1


def test_silence_is_the_logarithm_of_the_offset_and_a_constant_is_in_no_band() -> None:
    np.testing.assert_allclose(frames_of(np.zeros(16_000, np.float32)), np.log(OFFSET), rtol=1e-6)
    assert not mel_weights()[0].any()
    assert mel_weights().shape == (257, BANDS)


@pytest.mark.parametrize("row", [0, 1, 50, 99])
def test_frames_stand_in_the_middle_of_their_rows(row: int) -> None:
    """A click in the middle of a row is strongest there, and as strong in the row before as in the one after."""
    sound = np.zeros(16_000, np.float32)
    sound[row * HOP + HOP // 2] = 1
    energy = np.pad(np.exp(frames_of(sound)).sum(1), 1)  # beyond the ends there is no row
    assert energy[1:-1].argmax() == row
    if 0 < row < 99:
        assert energy[row] == pytest.approx(energy[row + 2], rel=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 200))
def test_rows_in_parts_are_the_whole(rows: int) -> None:
    sound = np.random.default_rng(rows).normal(size=rows * HOP).astype(np.float32)
    found = frames_of(sound)
    assert found.shape == (rows, BANDS)
    edge = np.zeros((WINDOW - HOP) // 2, np.float32)
    np.testing.assert_allclose(found, log_mel(np.concatenate([edge, sound, edge])), atol=1e-5)


def test_it_pickles_and_says_what_it_does() -> None:
    assert str(pickle.loads(pickle.dumps(LogMel()))) == (
        "16000 Hz, ln(mel + 0.001), 64 bands of 125 to 7500 Hz, 25 ms every 10 ms"
    )
    assert list(LogMel()([])) == []
