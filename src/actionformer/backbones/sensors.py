"""What readings of sensors are described by, window by window: `windows`, all of them, and `statistics`; no weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actionformer.backbones.base import Backbone
from actionformer.core.errors import InputError, listed, warn
from actionformer.keypoints.text import HEADER
from actionformer.medium import Row
from actionformer.sensors.columns import Columns, chosen, left_out, unlikely
from actionformer.sensors.files import open_table
from actionformer.sensors.medium import SENSORS, Sensors

BANDS = (1 / 8, 1 / 4, 1 / 2, 1)
"""Upper ends of the bands of a spectrum, as shares of half the rate: 3.125, 6.25, 12.5 and 25 Hz of 50 a second."""


@dataclass(frozen=True)
class Interpolated:
    """Readings as the medium gives them."""

    def __call__(self, frames: Iterable[Row]) -> Iterator[Row]:
        """(C,) -> (C,)."""
        return iter(frames)

    def __str__(self) -> str:
        return "readings, linear between the nearest in time"


class OfSensors(Backbone):
    """Numbers per channel of the readings of a clip; the channels are columns of tables.

    Attributes:
        kind: the name without the columns.

    Args:
        columns: which columns are meant, as `Columns.parsed` reads them; by default those of the first file.
    """

    kind: str
    fps = None
    num_frames = 50
    stride = 25
    preprocessing = Interpolated()
    medium: Sensors

    def __init__(self, columns: str = "") -> None:
        self._look_at(Columns.parsed(columns))

    def _look_at(self, columns: Columns) -> None:
        self.medium = replace(SENSORS, columns=columns)
        self.name = f"{self.kind}:{columns}" if str(columns) else self.kind
        self.dim = len(columns.channels) * self.per_channel()

    @abstractmethod
    def per_channel(self) -> int:
        """Numbers per channel."""

    def fitted(self, files: Sequence[Path], num_frames: int) -> OfSensors:
        """The same in clips of `num_frames`; unless columns are named, with those of the first file that can be read.

        Columns that are left out are told, and those that are taken and look like labels or counters.

        Raises:
            InputError: no file can be read; what is wrong with the first.
        """
        fitted = copy(self)
        fitted.num_frames = num_frames
        columns = self.medium.columns
        fitted._look_at(columns if columns.channels or not files else _columns_of(files, columns))
        return fitted

    def __call__(self, clips: Row | Tensor) -> Tensor:
        """Clips of readings (B, T, C) -> (B, dim) float32.

        Raises:
            InputError: an array of another kind.
        """
        raw = torch.as_tensor(np.asarray(clips.cpu() if isinstance(clips, Tensor) else clips, np.float32))
        if raw.ndim != 3 or 0 in raw.shape:
            raise InputError(f"clips must be (B, T, C), found {tuple(raw.shape)}")
        return self.encode(raw)


def _columns_of(files: Sequence[Path], columns: Columns) -> Columns:
    """The columns of the first of the files that can be read."""
    errors: list[InputError] = []
    for file in files:
        try:
            with open_table(file) as table:
                if table.names[0].lower() in HEADER:
                    raise InputError(f"{file}: holds key points of DeepLabCut: give --backbone keypoints")
                taken = chosen(table, columns)
                names = tuple(table.names[column] for column in taken.channels)
                told = left_out(table, taken) + _doubts(names, next(table.read(taken.channels), None))
            for sentence in told:
                warn(f"{file}: {sentence}", 3)
            return replace(columns, channels=names)
        except InputError as error:
            errors.append(error)
    raise errors[0]


def _doubts(names: Sequence[str], rows: NDArray[np.float64] | None) -> list[str]:
    """What to tell of channels (n, C) that seem to be no readings."""
    found = [] if rows is None else zip(names, map(unlikely, rows.T), strict=True)
    odd = [f"{name} ({what})" for name, what in found if what]
    advice = "new recordings may not have such, so that a model learns what does not hold: --columns names the others"
    return [f"taken for readings, though they do not look so: {listed(odd)}; {advice}"] if odd else []


class Windows(OfSensors):
    """All readings of a clip, channel by channel: of C channels and T moments C * T numbers.

    With the default clips, and with the six channels of HAPT, these are the windows of its authors.
    """

    kind = "windows"

    def per_channel(self) -> int:
        """As many as moments."""
        return self.num_frames

    def encode(self, clips: Tensor) -> Tensor:
        """Readings float32 (B, T, C) -> (B, C * T) float32 on the CPU."""
        return clips.cpu().float().transpose(1, 2).flatten(1)


class Statistics(OfSensors):
    """Eight numbers per channel, of its readings x_0 ... x_(T-1) in a clip.

    1. mean: m = sum(x_t) / T
    2. deviation: sqrt(sum((x_t - m)^2) / T)
    3. energy: sum(x_t^2) / T
    4. zero crossings: the share of neighbours between which x_t - m changes its sign, where 0 counts as positive
    5. to 8.: the spectrum, in four bands up to 1/8, 1/4, 1/2 and all of half the rate (`BANDS`): sqrt(sum(p_k)) over
       the frequencies k of a band, which has its upper end. Here p_k = w_k |X_k|^2 / T^2, X is the discrete Fourier
       transform of x_t - m, and w_k is 2, or 1 for the highest frequency of an even T. So the squares of the four
       add up to that of the deviation (Parseval).

    They are the plainest of those that are usual for inertial sensors, such as in the second set of features of HAPT
    (Reyes-Ortiz et al., Transition-Aware Human Activity Recognition Using Smartphones, Neurocomputing 2016).
    """

    kind = "statistics"

    def per_channel(self) -> int:
        """Four of the readings and one for each band."""
        return 4 + len(BANDS)

    def encode(self, clips: Tensor) -> Tensor:
        """Readings float32 (B, T, C) -> (B, C * 8) float32 on the CPU, channel by channel."""
        readings = clips.cpu().double().transpose(1, 2)  # (B, C, T)
        mean = readings.mean(-1, keepdim=True)
        about = readings - mean
        above = about >= 0
        crossings = (above[..., 1:] != above[..., :-1]).double().sum(-1) / max(readings.shape[-1] - 1, 1)
        four = [mean[..., 0], about.square().mean(-1).sqrt(), readings.square().mean(-1), crossings]
        return torch.cat([torch.stack(four, -1), _in_bands(about)], -1).flatten(1).float()


def _in_bands(about: Tensor) -> Tensor:
    """Readings about their mean (..., T) -> the root of the power in each band (..., 4)."""
    length = about.shape[-1]
    power = torch.fft.rfft(about).abs().square() / length**2
    frequencies = torch.arange(power.shape[-1]) / (length / 2)  # as shares of half the rate
    power = power * torch.where(frequencies == 1, 1.0, 2.0)
    band = torch.bucketize(frequencies, torch.tensor(BANDS))  # a band has its upper end
    return torch.stack([power[..., band == number].sum(-1) for number in range(len(BANDS))], -1).sqrt()
