"""`motion`: histograms of edges and of optical flow on a grid; no weights, several hundred frames a second on a core.

The descriptors are those of Dalal and Triggs (Histograms of Oriented Gradients, CVPR 2005) and of Laptev et al.
(Learning Realistic Human Actions from Movies, CVPR 2008: HOF, with its "no motion" bin), taken in cells that stay where
they are in the frame, so that they tell what moves where, and which way. Square roots keep a few strong edges or one
fast limb from drowning the rest (Arandjelovic and Zisserman, Three Things Everyone Should Know, CVPR 2012).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from actionformer.backbones.base import Backbone, Frame
from actionformer.backbones.preprocessing import resized
from actionformer.video.opencv import opencv

PURPOSE = "the backbone motion"

SHORT_SIDE = 96
"""Pixels of the frames that edges and flow are taken from; speeds are in these pixels a frame, whatever the video."""
FLOW_STEP = 2
"""Every second pixel of every second row counts: the fast preset finds flow at a quarter of the size, then enlarges."""
ROWS, COLUMNS = 3, 4
"""Cells of the grid. Columns outnumber rows as most videos are wide."""
ORIENTATIONS = 8
"""Bins of the gradient's direction modulo 180 degrees, 22.5 apart; bin 0: horizontal, as across a vertical edge."""
DIRECTIONS = 8
"""Bins of the flow's direction, 45 degrees apart; 0: to the right, 2: down, 4: to the left, 6: up."""
STILL_BELOW = 0.25
"""Pixels a frame under which a pixel counts as still; noise of the flow stays below."""
LEAST_GRADIENT = 1.0
"""Grey levels a pixel added to a frame's mean gradient, so that noise in an empty frame does not pass for edges."""
NUMBERS = ORIENTATIONS + DIRECTIONS + 1
"""Numbers a cell: edges, flow, and the share of pixels that are still."""
CODES_PER_UNIT = 32
"""Steps of a byte from 0 to 1 on the square root's scale: values up to (255 / 32)^2 = 63 in steps of at least 0.001."""


class Motion(Backbone):
    """Mean histograms of a clip, square-rooted: 3 rows x 4 columns x (8 edge + 8 flow + 1 still) = 204 numbers.

    Of each cell, row by row: the mean gradient at each orientation, relative to the frame's (1 on average); the mean
    flow in each direction (pixels a frame); the share of still pixels. Takes clips of any length.

    15 frames a second halves the work of 30 and still moves a fast hand by only a few small pixels, which the flow
    needs. Clips of 16 frames (1.1 s) hold a gesture; a frame is described once however many clips share it, so one
    may start every 4 frames (0.27 s), and short actions still cover several moments.

    Raises:
        InputError: OpenCV is not installed.
    """

    name = "motion"
    dim = ROWS * COLUMNS * NUMBERS
    fps = 15.0
    num_frames = 16
    stride = 4

    def __init__(self) -> None:
        opencv(PURPOSE)  # fails here rather than in a decoding process
        self.preprocessing = DescribeMotion()

    def encode(self, clips: Tensor) -> Tensor:
        """Described frames uint8 (B, T, 3, 4, 17) -> (B, 204) float32 on the CPU: the root of the clip's mean."""
        roots = clips.cpu().float() / CODES_PER_UNIT
        return roots.square().mean(1).sqrt().flatten(1)


@dataclass(frozen=True)
class DescribeMotion:
    """Frames -> their histograms, in bytes: every value is `CODES_PER_UNIT` times its square root, at most 255."""

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """(H, W, 3) RGB -> (3, 4, 17); reads a frame ahead. The last frame moves as the one before it, a lone one not.

        The flow is that from a frame to the next: DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search,
        ECCV 2016), OpenCV's fast preset.
        """
        cv2 = opencv(PURPOSE)
        search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        grey = flow = None
        for following in map(small_grey, frames):
            if grey is not None:
                flow = search.calc(grey, following, None)
                yield described(grey, flow)
            grey = following
        if grey is not None:
            yield described(grey, np.zeros((*grey.shape, 2), np.float32) if flow is None else flow)

    def __str__(self) -> str:
        return f"grey, short side {SHORT_SIDE}, HOG and DIS flow on {ROWS}x{COLUMNS} cells, {CODES_PER_UNIT} sqrt(x)"


def small_grey(frame: Frame) -> NDArray[np.uint8]:
    """(H, W, 3) RGB -> grey (h, w), whose short side is `SHORT_SIDE`.

    Torch resizes bytes of four channels several times as fast as those of one, so the grey is made red, green, blue and
    alpha before it is resized, to the same numbers.
    """
    cv2 = opencv(PURPOSE)
    grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
    small: Frame = resized(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGBA), SHORT_SIDE, antialias=True)
    return np.ascontiguousarray(small[..., 0])


def described(grey: NDArray[np.uint8], flow: NDArray[np.float32]) -> Frame:
    """A frame (h, w) and its flow (h, w, 2), x then y, in pixels -> its codes (3, 4, 17); see `Motion`."""
    cells = cells_of(*grey.shape)
    values = np.concatenate([edges(grey, cells), *movement(flow, cells)], axis=1)
    codes: NDArray[np.float64] = np.rint(CODES_PER_UNIT * np.sqrt(values)).clip(0, 255)
    return codes.astype(np.uint8).reshape(ROWS, COLUMNS, NUMBERS)


def cells_of(height: int, width: int) -> NDArray[np.intp]:
    """The cell, row by row, that each pixel (height, width) lies in."""
    rows, columns = np.arange(height) * ROWS // height, np.arange(width) * COLUMNS // width
    return rows[:, None] * COLUMNS + columns


def edges(grey: NDArray[np.uint8], cells: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mean gradient by cell and orientation (12, 8), relative to the frame's: contrast and exposure cancel.

    Gradients are central differences, in grey levels a pixel. The mean over cells and orientations is 1, less where
    the frame is nearly empty (`LEAST_GRADIENT`).
    """
    cv2 = opencv(PURPOSE)
    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=1, scale=0.5) for order in ((1, 0), (0, 1)))
    strength, angle = cv2.cartToPolar(dx, dy)
    histogram = by_cell(strength, angle * (ORIENTATIONS / np.pi), ORIENTATIONS, cells)
    return histogram * (ORIENTATIONS / (float(strength.mean()) + LEAST_GRADIENT))


def movement(flow: NDArray[np.float32], cells: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean flow by cell and direction (12, 8), in pixels a frame; the share of still pixels by cell (12, 1)."""
    flow, cells = flow[::FLOW_STEP, ::FLOW_STEP], cells[::FLOW_STEP, ::FLOW_STEP]
    speed, angle = opencv(PURPOSE).cartToPolar(*np.ascontiguousarray(flow.transpose(2, 0, 1)))
    histogram = by_cell(speed, angle * (DIRECTIONS / (2 * np.pi)), DIRECTIONS, cells)
    still = np.bincount(cells.ravel(), (speed < STILL_BELOW).ravel()) / np.bincount(cells.ravel())
    return histogram, still[:, None]


def by_cell(
    amount: NDArray[np.float32], position: NDArray[np.float32], bins: int, cells: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Sums amounts (h, w) by cell and bin, over the pixels of the cell: (12, bins).

    Bins lie on a circle; each amount is shared by the two that its position falls between, the nearer gets more.
    """
    lower = position.astype(np.intp)
    part = position - lower
    first = cells * bins
    sums = sum(
        np.bincount((first + index % bins).ravel(), (amount * weight).ravel(), ROWS * COLUMNS * bins)
        for index, weight in ((lower, 1 - part), (lower + 1, part))
    )
    return np.reshape(sums, (-1, bins)) / np.bincount(cells.ravel())[:, None]
