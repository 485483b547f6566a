"""`pose`: how a person stands and moves, from the 17 key points of MoveNet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from actionformer.backbones.base import Backbone, TimedPreprocessing
from actionformer.backbones.movenet import HIPS, KEY_POINTS, LEAST_CONFIDENCE, SHOULDERS, MoveNet, followed
from actionformer.backbones.posture import Body, described, pooled
from actionformer.backbones.published import Published, find_weights
from actionformer.core.hashes import hash_of
from actionformer.medium import Row

PUBLISHED = Published(
    files=("movenet_single_pose_lightning_ptq.tflite",),
    source="https://github.com/google-coral/test_data",
    licence="Apache-2.0",
)
PERSON = Body(points=len(KEY_POINTS), origin=HIPS, end=SHOULDERS)


class Pose(Backbone):
    """Posture and movement of the most prominent person: the means and deviations over a clip of 93 numbers.

    `posture.described` says which. 15 frames a second follow a hand, and clips of 8 (0.5 s) hold a gesture; one starts
    every 4 frames (0.27 s), as with `motion`. Takes clips of any length. Computes on the CPU, in the processes that
    decode, whatever the device.

    Args:
        weights: the .tflite file, or its folder.

    Raises:
        InputError: no such weights, those of another network, or LiteRT is not installed.
    """

    name = "pose"
    dim = 2 * PERSON.numbers
    fps = 15.0
    num_frames = 8
    stride = 4

    def __init__(self, *, weights: Sequence[str | Path]) -> None:
        (path,) = find_weights(self.name, PUBLISHED, weights)
        MoveNet(path)  # fails here rather than in a decoding process
        self.weights_hash = hash_of([path])
        self.preprocessing = FollowPerson(path, self.fps)

    def encode(self, clips: Tensor) -> Tensor:
        """Described frames float32 (B, T, 93) -> (B, 186) float32 on the CPU."""
        return pooled(clips.cpu())


@dataclass(frozen=True)
class FollowPerson(TimedPreprocessing):
    """Frames -> the numbers of the person whom they show.

    Args:
        path: the weights of MoveNet.
        fps: frames a second.
    """

    path: Path
    fps: float

    def at(self, fps: float) -> FollowPerson:
        """The same for frames at another rate."""
        return replace(self, fps=fps)

    def __call__(self, frames: Iterable[Row]) -> Iterator[Row]:
        """(H, W, 3) RGB -> (93,) float32."""
        network = MoveNet(self.path)  # here, as it does not pickle
        return described((as_seen(pose)[None] for pose in followed(frames, network)), PERSON, self.fps)

    def __str__(self) -> str:
        return f"MoveNet follows a person, points from confidence {LEAST_CONFIDENCE} on, relative to hips and torso"


def as_seen(pose: Row) -> Row:
    """A pose (K, 3) whose points without confidence have no place."""
    places = np.where(pose[:, 2:] >= LEAST_CONFIDENCE, pose[:, :2], np.nan)
    return np.concatenate([places, pose[:, 2:]], 1)
