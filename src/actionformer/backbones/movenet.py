"""MoveNet: the 17 key points of a person in a picture, and a look that follows the person through a video.

The network (SinglePose Lightning, github.com/google-coral/test_data, Apache-2.0) looks at a square of 192 x 192 pixels.
Of a whole picture a person would fill only a part of it, so from the second frame on the square is one around the
person that was found in the frame before. The rule for it is that of MoveNet's own tutorial
(tensorflow.org/hub/tutorials/movenet).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.backbones.base import Frame
from actionformer.backbones.litert import interpreter
from actionformer.backbones.preprocessing import resized
from actionformer.core.errors import InputError

Pose = NDArray[np.float32]
"""(17, 3): x and y in pixels of the picture, and the confidence, 0 to 1."""

SIDES = ("left", "right")
PAIRS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
KEY_POINTS = ("nose", *(f"{side}_{part}" for part in PAIRS for side in SIDES))
"""Names in the order in which the network gives them; left is the person's own left."""
SHOULDERS, HIPS = (5, 6), (11, 12)
LEAST_CONFIDENCE = 0.2
"""Of a point that counts as seen."""
TORSO_ROOM, BODY_ROOM = 1.9, 1.2
"""How far a square reaches from the hips, as a multiple of the farthest point of the torso, and of the body."""


@dataclass(frozen=True)
class Square:
    """A part of a picture, in pixels; it may reach beyond the picture, where all is black."""

    left: int
    top: int
    side: int


def whole(height: int, width: int) -> Square:
    """The least square that holds the whole picture, in its middle."""
    side = max(height, width)
    return Square((width - side) // 2, (height - side) // 2, side)


def around(pose: Pose, height: int, width: int) -> Square | None:
    """The square to look for a person in who was last seen in this pose; None where the torso was not seen.

    Its centre is the middle of the hips. It holds 1.9 times the torso and 1.2 times what was seen of the body, but no
    more than reaches the farthest edge of the picture; a person who fills more than the picture is sought in all of it.
    """
    seen = pose[:, 2] >= LEAST_CONFIDENCE
    if not (seen[list(HIPS)].any() and seen[list(SHOULDERS)].any()):
        return None
    centre = pose[list(HIPS), :2].mean(0)
    away = np.abs(pose[:, :2] - centre).max(1)
    reach = max(TORSO_ROOM * away[[*SHOULDERS, *HIPS]].max(), BODY_ROOM * away[seen].max())
    edges = np.array([centre, np.array([width, height]) - centre])
    reach = min(reach, float(edges.max()))
    if reach > max(width, height) / 2 or reach < 1:
        return whole(height, width)
    left, top = np.rint(centre - reach).astype(int)
    return Square(int(left), int(top), round(2 * reach))


def cut(frame: Frame, square: Square, size: int) -> Frame:
    """A square of a frame (H, W, 3) at size x size, bilinear; black where it reaches beyond the frame."""
    height, width = frame.shape[:2]
    top, left = max(square.top, 0), max(square.left, 0)
    bottom, right = min(square.top + square.side, height), min(square.left + square.side, width)
    scale = size / square.side
    small: Frame = np.zeros((size, size, 3), np.uint8)
    y, x, y_end, x_end = (
        round((edge - start) * scale)
        for edge, start in ((top, square.top), (left, square.left), (bottom, square.top), (right, square.left))
    )
    if y_end > y and x_end > x:
        seen = np.ascontiguousarray(frame[top:bottom, left:right])
        small[y:y_end, x:x_end] = resized(seen, (y_end - y, x_end - x), antialias=True)
    return small


class MoveNet:
    """The network.

    Args:
        path: the .tflite file of a MoveNet for one person.

    Raises:
        InputError: LiteRT is not installed, or the file holds another network.
    """

    def __init__(self, path: Path) -> None:
        self._network = interpreter(path, "pose")
        (enters, *more), (leaves, *others) = self._network.get_input_details(), self._network.get_output_details()
        shape, found = tuple(enters["shape"]), tuple(leaves["shape"])
        if more or others or len(shape) != 4 or shape[1] != shape[2] or found != (1, 1, len(KEY_POINTS), 3):
            raise InputError(
                f"{path}: a network from {shape} to {found}, expected a MoveNet for one person: "
                f"from (1, 192, 192, 3) to (1, 1, {len(KEY_POINTS)}, 3)"
            )
        self._size, self._type = int(shape[1]), enters["dtype"]
        self._enters, self._leaves = enters["index"], leaves["index"]

    def __call__(self, frame: Frame, square: Square) -> Pose:
        """The person in a square of a frame (H, W, 3) RGB."""
        self._network.set_tensor(self._enters, cut(frame, square, self._size)[None].astype(self._type))
        self._network.invoke()
        y, x, confidence = np.asarray(self._network.get_tensor(self._leaves), np.float32)[0, 0].T
        return np.stack([square.left + x * square.side, square.top + y * square.side, confidence], 1)


def followed(frames: Iterable[Frame], network: MoveNet) -> Iterator[Pose]:
    """The pose of the most prominent person in each frame.

    Looks at the square where the person was in the frame before. Where no torso is seen there, the person is lost, and
    the same frame is looked at as a whole.
    """
    square: Square | None = None
    for frame in frames:
        height, width = frame.shape[:2]
        pose = network(frame, square or whole(height, width))
        following = around(pose, height, width)
        if square is not None and following is None:
            pose = network(frame, whole(height, width))
            following = around(pose, height, width)
        square = following
        yield pose
