"""What every backbone is: clips of frames -> one vector a clip.

A frame is what its medium (`medium.py`) says of one moment: a picture, the readings of sensors, ...

The work is cut in two. `Preprocessing` turns frames into what the network looks at, once a frame, in the process that
decodes: clips that overlap share it. `encode` turns clips of prepared frames into vectors, in batches, on the device.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actionformer.core.errors import InputError
from actionformer.medium import Medium, Row
from actionformer.video.pictures import PICTURES

Frame = NDArray[np.uint8]
"""(H, W, 3) RGB; prepared frames (h, w, c) uint8, c as the backbone wants."""


class Preprocessing(Protocol):
    """Frames in order -> as many prepared frames, of pictures (H, W, 3) RGB -> (h, w, c) uint8; pickles, and knows no
    device."""

    def __call__(self, frames: Iterable[Row]) -> Iterator[Row]:
        """Yields a prepared frame for each; it may read a frame ahead, as optical flow must."""

    def __str__(self) -> str:
        """What is done, in one line that sidecars keep: two features with the same line were prepared alike."""


class TimedPreprocessing(ABC):
    """Preprocessing that speaks of speed, and so has to know how many frames come a second."""

    @abstractmethod
    def at(self, fps: float) -> Preprocessing:
        """The same for frames that come at this rate."""


def at_rate(preprocessing: Preprocessing, fps: float) -> Preprocessing:
    """Preprocessing for frames that come at this rate, as far as it matters to it."""
    return preprocessing.at(fps) if isinstance(preprocessing, TimedPreprocessing) else preprocessing


class Backbone(ABC):
    """A frozen network, or a formula, that sees `num_frames` frames and says `dim` numbers.

    Attributes:
        name: as the command line and sidecars call it.
        dim: numbers a clip; 0 where it depends on files that are not known yet, see `fitted`.
        fps: frames a second that it was trained on; None takes the video's own.
        num_frames: frames a clip.
        stride: frames from one clip to the next, unless the user says otherwise.
        preprocessing: frames -> what `encode` takes.
        weights_hash: SHA-256 of the weights, None where there are none.
        medium: what it looks at; by default pictures.
    """

    name: str
    dim: int
    fps: float | None
    num_frames: int
    stride: int
    preprocessing: Preprocessing
    weights_hash: str | None = None
    medium: Medium = PICTURES

    def fitted(self, files: Sequence[Path], num_frames: int) -> Backbone:
        """The backbone as it looks at these files in clips of `num_frames`.

        Most are the same whatever they look at. One whose channels are those of the files takes the first's.

        Raises:
            InputError: it depends on the files, and none can be read.
        """
        return self

    @abstractmethod
    def encode(self, clips: Tensor) -> Tensor:
        """Prepared clips (B, T, ...) on any device -> (B, dim) float32 on the CPU. Pictures: (B, T, h, w, c) uint8"""

    def __call__(self, clips: Row | Tensor) -> Tensor:
        """Clips of raw frames uint8 (B, T, H, W, 3) RGB -> (B, dim) float32: preprocessing, then `encode`.

        T is `num_frames`, unless the backbone takes any.

        Raises:
            InputError: an array of another kind.
        """
        raw = np.asarray(clips.cpu() if isinstance(clips, Tensor) else clips)
        if raw.ndim != 5 or raw.dtype != np.uint8 or 0 in raw.shape or raw.shape[-1] != 3:
            raise InputError(f"clips must be (B, T, H, W, 3) uint8, found {raw.shape} {raw.dtype}")
        return self.encode(torch.from_numpy(np.stack([np.stack(list(self.preprocessing(clip))) for clip in raw])))
