"""How stored frames are turned and mirrored before they are shown: the one place that reads the display matrix."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from numpy.typing import NDArray


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to turn and mirror a rectangle."""

    transposed: bool = False
    """Rows become columns and columns rows, before the others."""
    flipped: bool = False
    """The last row comes first."""
    mirrored: bool = False
    """The last column comes first."""

    def matrix(self) -> NDArray[np.int64]:
        """(2, 2), as `display_matrix`."""
        right, down = (-1 if self.mirrored else 1), (-1 if self.flipped else 1)
        return np.array([[0, right], [down, 0]] if self.transposed else [[right, 0], [0, down]])

    def upright(self, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """An image (H, W, ...) as it is shown."""
        image = stored.swapaxes(0, 1) if self.transposed else stored
        return np.ascontiguousarray(image[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1])

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as shown, of those stored; or the reverse."""
        return (height, width) if self.transposed else (width, height)


ONE = 1 << 16
"""Of the fixed-point numbers in a display matrix."""
UPRIGHT = Orientation()
ALL = tuple(Orientation(*flags) for flags in product((False, True), repeat=3))
"""First the one that changes nothing."""
MATRICES = np.stack([orientation.matrix() for orientation in ALL])
"""(8, 2, 2), in the order of `ALL`."""


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """What the display matrix of a frame says; of a slanted one, the nearest of the eight."""
    return nearest(display_matrix(frame))


def display_matrix(frame: av.VideoFrame) -> NDArray[np.float64]:
    """(2, 2): where a step to the right and a step down of a stored frame lead, in columns (right, down).

    FFmpeg stores a b u c d v x y w: (x, y) of the stored frame is shown at (a x + c y, b x + d y), y downwards.
    """
    # Not `frame.side_data`: the frame would hold what holds it, and be freed late, or in a process without its decoder.
    side_data: Any = SideDataContainer
    stated: Any = side_data(frame).get("DISPLAYMATRIX")
    if stated is None:
        return np.eye(2)
    a, b, _, c, d, *_ = np.frombuffer(bytes(stated), np.int32).tolist()
    return np.array([[a, c], [b, d]]) / ONE


def nearest(matrix: NDArray[np.float64]) -> Orientation:
    """The orientation that leads most nearly where a display matrix leads."""
    return ALL[int((MATRICES * matrix).sum((1, 2)).argmax())]


def exactly(matrix: NDArray[np.float64]) -> bool:
    """Whether a display matrix neither slants nor scales."""
    return np.allclose(matrix, nearest(matrix).matrix(), atol=1e-3)
