"""`keypoints`: how animals or people stand and move, from key points that another program found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from actionformer.backbones.base import Backbone, TimedPreprocessing
from actionformer.backbones.posture import Body, described, pooled
from actionformer.core.errors import InputError
from actionformer.keypoints.medium import KEY_POINTS, KeyPointFiles, read_tracks
from actionformer.keypoints.skeleton import Skeleton
from actionformer.medium import Row


class KeyPoints(Backbone):
    """Posture and movement of all bodies: means and deviations over a clip of what `posture.described` says of them.

    Bodies are turned until their trunk points right. What the name leaves open, the first file decides. Takes clips of
    any length; at 30 frames a second, those of 8 (0.27 s) that start every 4 follow what paws do.

    Args:
        skeleton: as `Skeleton.parsed` reads it.
    """

    fps = None
    num_frames = 8
    stride = 4
    medium: KeyPointFiles
    preprocessing: DescribeBodies

    def __init__(self, skeleton: str = "") -> None:
        self._look_at(Skeleton.parsed(skeleton))

    def _look_at(self, skeleton: Skeleton) -> None:
        self.medium = replace(KEY_POINTS, skeleton=skeleton)
        self.name = f"keypoints:{skeleton}" if skeleton.complete else "keypoints"
        self.preprocessing = DescribeBodies(body_of(skeleton), str(skeleton), 0.0)
        self.dim = 2 * self.preprocessing.body.numbers

    def fitted(self, files: Sequence[Path], num_frames: int) -> KeyPoints:
        """The same with what its skeleton leaves open as the first file that can be read has it.

        Raises:
            InputError: none can be read; that of the first.
        """
        fitted, errors = copy(self), list[InputError]()
        for file in files if not self.medium.skeleton.complete else ():
            try:
                fitted._look_at(self.medium.skeleton.fitted(read_tracks(file), str(file)))
                return fitted
            except InputError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return fitted

    def encode(self, clips: Tensor) -> Tensor:
        """Described frames float32 (B, T, F) -> (B, 2F) float32 on the CPU."""
        return pooled(clips.cpu())

    def __call__(self, clips: Row | Tensor) -> Tensor:
        """Clips of bodies (B, T, N, K, 3), 30 frames a second -> (B, dim) float32.

        Raises:
            InputError: an array of another kind.
        """
        raw = np.asarray(clips.cpu() if isinstance(clips, Tensor) else clips, np.float32)
        body = self.preprocessing.body
        if raw.ndim != 5 or raw.shape[2:] != (body.animals, body.points, 3) or 0 in raw.shape:
            raise InputError(f"clips must be (B, T, {body.animals}, {body.points}, 3), found {raw.shape}")
        described_ = self.preprocessing.at(30.0)
        return self.encode(torch.from_numpy(np.stack([np.stack(list(described_(clip))) for clip in raw])))


def body_of(skeleton: Skeleton) -> Body:
    """A skeleton as numbers of points; of one that leaves something open, nothing."""
    points = skeleton.points if skeleton.complete else ()
    origin, end = (tuple(points.index(name) for name in names if points) for names in (skeleton.origin, skeleton.end))
    return Body(points=len(points), origin=origin, end=end, animals=skeleton.animals, turned=True)


@dataclass(frozen=True)
class DescribeBodies(TimedPreprocessing):
    """Bodies -> their numbers.

    Args:
        body: what their points are.
        skeleton: the same in words.
        fps: frames a second.
    """

    body: Body
    skeleton: str
    fps: float

    def at(self, fps: float) -> DescribeBodies:
        """The same for frames at another rate."""
        return replace(self, fps=fps)

    def __call__(self, frames: Iterable[Row]) -> Iterator[Row]:
        """(N, K, 3) -> (F,) float32."""
        return described(frames, self.body, self.fps)

    def __str__(self) -> str:
        return f"bodies turned, relative to {self.skeleton.split('/')[0]} and the trunk"
