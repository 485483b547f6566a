"""Decoded sound as one channel of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""(n,) of one channel; full scale is 1."""

HALF = 0.5**0.5
WEIGHTS = {"FL": 1.0, "FR": 1.0, "FC": 2 * HALF, "LFE": 0.0, "LFE2": 0.0}
"""By what a channel is called: front left and right, centre, low frequencies."""
OTHERS = HALF
"""Weight of the channels at the sides, behind and above."""
LOUDEST = 2.0**16
"""Times full scale. Only sound stored as floats can be louder than 1; this holds whole numbers that were not scaled."""


def mono(frame: av.AudioFrame) -> Samples:
    """A decoded frame as one channel; samples that are no numbers are silence.

    Channels are added with weights that sum to 1. Those of surround are what is left where left and right of the stereo
    downmix of ITU-R BS.775 (centre and surround 3 dB down) are added; of stereo it is the mean.
    """
    channels: Any = frame.to_ndarray()
    count = frame.layout.nb_channels
    if not frame.format.is_planar:
        channels = channels.reshape(-1, count).T
    mixed: Samples = weights_of([channel.name for channel in frame.layout.channels], count) @ full_scale(channels)
    return np.nan_to_num(mixed).clip(-LOUDEST, LOUDEST)


def weights_of(names: Sequence[str], count: int) -> Samples:
    """(count,) weights of channels, which sum to 1; equal where names do not tell them apart."""
    weights: Samples = np.array([WEIGHTS.get(name, OTHERS) for name in names], np.float32)
    if len(weights) != count or not weights.any():
        weights = np.ones(count, np.float32)
    weights /= weights.sum()
    return weights


def full_scale(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Samples of any format as float32, where full scale is 1; unsigned bytes are silent at 128."""
    scaled: NDArray[np.float32] = samples.astype(np.float32)
    if samples.dtype == np.uint8:
        scaled = (scaled - 128) / np.float32(128)
    elif samples.dtype.kind == "i":
        scaled /= -float(np.iinfo(samples.dtype).min)
    return scaled
