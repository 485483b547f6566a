"""The pictures of the made videos: three reels behind windows, which turn up or down, and the file of a video.

What a window shows depends on nothing but how far its reel has turned. Reels are rings, painted with discs anew for
every video: where a reel stands says nothing of how it came there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from actionformer.core.files import replacing

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

FPS = 15
HEIGHT, WIDTH = 96, 128  # pixels
WINDOW_HEIGHT, WINDOW_WIDTH = 80, 36  # pixels
WINDOWS = ((8, 5), (8, 46), (8, 87))  # top left corner of each, y and x
RING = 96  # pixels around a reel
STEPS = 4  # positions a pixel, so that slow reels glide
DISCS = 16  # a reel
RADII = (4.0, 9.0)  # pixels
WALL = (58.0, 62.0, 70.0)  # RGB
PAPER = (226.0, 218.0, 200.0)
PAINTS = ((190.0, 60.0, 50.0), (40.0, 90.0, 150.0), (230.0, 160.0, 40.0), (60.0, 60.0, 60.0))
NOISE = 10.0  # standard deviation of every pixel, grey levels
PIECE = 32  # frames drawn together
QUALITY = {"preset": "ultrafast", "crf": "28", "threads": "1"}  # one thread: several videos are written at a time


def paint_reel(rng: np.random.Generator) -> Floats:
    """(RING * STEPS, WINDOW_WIDTH, 3) RGB: a ring of paper with discs on it, a row each position a reel can take."""
    y, x = np.ogrid[0 : RING : 1 / STEPS, 0:WINDOW_WIDTH]
    reel = np.broadcast_to(np.array(PAPER), (RING * STEPS, WINDOW_WIDTH, 3))
    for _ in range(DISCS):
        across, along = rng.uniform(0, WINDOW_WIDTH), rng.uniform(0, RING)
        round_the_ring = (y - along + RING / 2) % RING - RING / 2
        distance = np.hypot(round_the_ring, x - across)
        cover = np.clip(rng.uniform(*RADII) - distance + 0.5, 0, 1)[..., None]  # the edge is a pixel wide
        reel = reel + cover * (np.array(PAINTS[rng.integers(len(PAINTS))]) - reel)
    return reel.astype(np.float32)


def draw_frames(turned: NDArray[np.int64], light: Floats, rng: np.random.Generator) -> Iterator[Image]:
    """The frames (HEIGHT, WIDTH, 3) of a video.

    Args:
        turned: (T, reels) how far up each reel has turned at each frame, in 1 / `STEPS` pixels.
        light: (T,) what is added to every pixel of a frame, grey levels.
        rng: paints the reels, and draws the noise.
    """
    reels = [paint_reel(rng) for _ in WINDOWS]
    for first in range(0, len(turned), PIECE):
        piece = slice(first, first + PIECE)
        pictures = show(reels, turned[piece]) + light[piece, None, None, None]
        pictures += NOISE * rng.standard_normal((*pictures.shape[:3], 1), dtype=np.float32)
        yield from pictures.clip(0, 255).astype(np.uint8)


def show(reels: Iterable[Floats], turned: NDArray[np.int64]) -> Floats:
    """The pictures (T, HEIGHT, WIDTH, 3) of reels that have turned so far, (T, reels), without noise."""
    pictures = np.empty((len(turned), HEIGHT, WIDTH, 3), dtype=np.float32)
    pictures[:] = WALL
    rows = STEPS * np.arange(WINDOW_HEIGHT)
    for reel, positions, (top, left) in zip(reels, turned.T, WINDOWS, strict=True):
        window = pictures[:, top : top + WINDOW_HEIGHT, left : left + WINDOW_WIDTH]
        window[:] = reel[(positions[:, None] + rows) % len(reel)]
    return pictures


def write_video(path: Path, frames: Iterable[Image]) -> None:
    """Writes frames (HEIGHT, WIDTH, 3) as a video at `FPS`, whole or not at all; missing folders are made."""
    with replacing(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options=QUALITY)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
