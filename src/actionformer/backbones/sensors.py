"""`windows`: the readings of sensors as they are, window by window; no weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from actionformer.backbones.base import Backbone
from actionformer.core.errors import InputError
from actionformer.medium import Row
from actionformer.sensors.columns import Columns
from actionformer.sensors.medium import SENSORS, Sensors, names_of


@dataclass(frozen=True)
class AsRead:
    """Readings as they are."""

    def __call__(self, frames: Iterable[Row]) -> Iterator[Row]:
        """(C,) -> (C,)."""
        return iter(frames)

    def __str__(self) -> str:
        return "readings as they are"


class Windows(Backbone):
    """All readings of a clip, channel by channel: C channels of T moments are C * T numbers.

    The windows of HAPT's authors (50 moments, one every 25, at 50 a second) are the default. The channels are
    the columns that were named, or else those of the first file.

    Args:
        columns: names of columns with commas between them, as `columns.Columns` reads them.
    """

    fps = None
    num_frames = 50
    stride = 25
    preprocessing = AsRead()
    medium: Sensors

    def __init__(self, columns: str = "") -> None:
        self._look_at(replace(SENSORS, columns=Columns.parsed(columns)))

    def _look_at(self, medium: Sensors) -> None:
        self.medium = medium
        self.name = f"windows:{medium.columns}" if medium.columns.channels else "windows"
        self.dim = len(medium.columns.channels) * self.num_frames

    def fitted(self, files: Sequence[Path], num_frames: int) -> Windows:
        """The same in clips of `num_frames`; unless it has columns, with those of the first file that can be read.

        Raises:
            InputError: none can be read; that of the first.
        """
        fitted, errors = copy(self), list[InputError]()
        fitted.num_frames, columns = num_frames, self.medium.columns
        for file in files if not columns.channels else ():
            try:
                columns = replace(columns, channels=names_of(file, columns))
                break
            except InputError as error:
                errors.append(error)
        if errors and not columns.channels:
            raise errors[0]
        fitted._look_at(replace(self.medium, columns=columns))
        return fitted

    def encode(self, clips: Tensor) -> Tensor:
        """Readings float32 (B, T, C) -> (B, C * T) float32 on the CPU."""
        return clips.cpu().float().transpose(1, 2).flatten(1)

    def __call__(self, clips: Row | Tensor) -> Tensor:
        """Clips of readings (B, T, C) -> (B, dim) float32.

        Raises:
            InputError: an array of another kind.
        """
        raw = torch.as_tensor(np.asarray(clips.cpu() if isinstance(clips, Tensor) else clips, np.float32))
        if raw.ndim != 3 or 0 in raw.shape:
            raise InputError(f"clips must be (B, T, C), found {tuple(raw.shape)}")
        return self.encode(raw)
