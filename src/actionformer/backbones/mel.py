"""Log-mel spectrograms as YAMNet has them: how strong a sound is in each of 64 bands, a hundred times a second.

Plakal and Ellis, YAMNet (tensorflow/models, research/audioset/yamnet: `params.py`, `features.py`), after Hershey et
al., CNN Architectures for Large-Scale Audio Classification, ICASSP 2017.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from actionformer.medium import Row
from actionformer.sound.medium import HOP
from actionformer.sound.reader import RATE

WINDOW = 400
"""Samples of a frame: 25 ms."""
SPECTRUM = 512
"""Samples of the Fourier transform: the window, filled up with zeros."""
BANDS = 64
LOWEST, HIGHEST = 125.0, 7500.0
"""Hertz."""
OFFSET = 0.001
"""Added before the logarithm: digital silence is ln 0.001 = -6.9 in every band."""
TOGETHER = 64
"""Frames that are computed together."""


@dataclass(frozen=True)
class LogMel:
    """Rows of `HOP` samples -> as many frames of the spectrogram, each of the 25 ms around the middle of its row.

    Before the first row and after the last one there is silence.
    """

    def __call__(self, frames: Iterable[Row]) -> Iterator[Row]:
        """(160,) -> (64,) float32; reads some rows ahead."""
        around = np.zeros((WINDOW - HOP) // 2, np.float32)
        samples, rows = around, iter(frames)
        for row in rows:
            samples = np.concatenate([samples, row, *islice(rows, TOGETHER - 1)])
            yield from log_mel(samples)
            samples = samples[(len(samples) - WINDOW + HOP) // HOP * HOP :]
        yield from log_mel(np.concatenate([samples, around]))

    def __str__(self) -> str:
        return f"{RATE} Hz, ln(mel + {OFFSET:g}), {BANDS} bands of {LOWEST:g} to {HIGHEST:g} Hz, 25 ms every 10 ms"


def log_mel(samples: NDArray[np.float32], offset: float = OFFSET) -> NDArray[np.float32]:
    """The spectrogram of samples (n,) at 16 kHz -> (frames, 64), a frame for each whole window of 400, 160 apart.

    ln(S M + offset), where S is the magnitude of the Fourier transform under a periodic Hann window, and M are
    triangles whose corners lie evenly on the mel scale of HTK, mel = 1127 ln(1 + f / 700).
    """
    if len(samples) < WINDOW:
        return np.empty((0, BANDS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    spectrum = np.abs(rfft(windows * _hann(), SPECTRUM))
    bands: NDArray[np.float32] = np.log(spectrum @ mel_weights() + np.float32(offset))
    return bands


@cache
def mel_weights() -> NDArray[np.float32]:
    """(257, 64): how much of each frequency each band takes; a constant sound is in none."""
    frequencies = _mel(np.linspace(0, RATE / 2, SPECTRUM // 2 + 1))[:, None]
    lowest, highest = _mel(np.array([LOWEST, HIGHEST]))
    corners = np.linspace(lowest, highest, BANDS + 2)
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    weights: NDArray[np.float32] = np.minimum(rising, falling).clip(min=0).astype(np.float32)
    return weights


@cache
def _hann() -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127 * np.log1p(hertz / 700)
