"""Optical flow: how far every pixel moves from one frame to the next, in pixels.

Two ways to find it, both OpenCV's. TV-L1 (Zach, Pock and Bischof, "A duality based approach for realtime TV-L1 optical
flow", DAGM 2007) is what the public benchmarks' features are made of; DIS (Kroeger et al., "Fast optical flow using
dense inverse search", ECCV 2016) agrees with it to about half a pixel and is hundreds of times faster on a CPU.

The benchmarks keep flow as grey images (github.com/yjxiong/dense_flow, `-b 20`): what exceeds 20 pixels is clipped,
and -20 .. 20 becomes 0 .. 255. `quantised` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from actionformer.backbones.base import Frame
from actionformer.core.errors import missing_extra
from actionformer.video.opencv import opencv

FlowMethod = Literal["tvl1", "dis"]

Flow = NDArray[np.float32]
"""(H, W, 2) pixels to the right and down."""

Grey = NDArray[np.uint8]
"""(H, W) brightness."""

BOUND = 20.0
"""Pixels at which stored flow is clipped."""


def with_flow(frames: Iterable[Frame], method: FlowMethod) -> Iterator[tuple[Frame, Flow]]:
    """Every frame with its flow to the next one; the last frame has that of the one before, a lone frame none.

    Holds two frames at a time, and has read one more than it has handed out.

    Args:
        frames: (H, W, 3) RGB in order, all of one size.
        method: "tvl1" or "dis".

    Raises:
        InputError: OpenCV's contrib build is not installed.
    """
    between = _flow_between(method)
    waiting = iter(frames)
    if (frame := next(waiting, None)) is None:
        return
    grey = _grey(frame)
    flow = np.zeros((*grey.shape, 2), np.float32)
    for following in waiting:
        following_grey = _grey(following)
        flow = between(grey, following_grey)
        yield frame, flow
        frame, grey = following, following_grey
    yield frame, flow


def quantised(flow: Flow) -> NDArray[np.uint8]:
    """Flow in pixels, of any shape -> 0 .. 255: round(255 (clip(v) + 20) / 40), halves to even; no motion is 128."""
    clipped = np.clip(flow, -BOUND, BOUND)
    stored: NDArray[np.uint8] = np.rint((clipped + BOUND) * (255 / (2 * BOUND))).astype(np.uint8)
    return stored


def _flow_between(method: FlowMethod) -> Callable[[Grey, Grey], Flow]:
    """What finds the flow (H, W, 2) from one grey frame (H, W) to another; with OpenCV's own settings."""
    cv2 = opencv("optical flow")
    if method == "tvl1" and not hasattr(cv2, "optflow"):  # plain builds of OpenCV lack it
        raise missing_extra("opencv-contrib-python-headless", "features", "TV-L1 flow")
    found = cv2.optflow.DualTVL1OpticalFlow_create() if method == "tvl1" else cv2.DISOpticalFlow_create()
    return lambda now, following: np.asarray(found.calc(now, following, None), np.float32)


def _grey(frame: Frame) -> Grey:
    cv2 = opencv("optical flow")
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY), np.uint8)
