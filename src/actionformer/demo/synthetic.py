"""A made data set, from video files on, that shows what a frame alone cannot tell.

Three reels turn behind windows. Each knows two actions: up and down again, or down and up again. Both consist of the
same frames and the same movements; only their order tells which it was. Actions of different reels overlap in time,
those of one reel may follow each other without a gap, lengths differ tenfold, and reels also turn one way only, which
is no action.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.files import write_whole
from actionformer.demo.reels import FPS, RING, STEPS, WINDOWS, draw_frames, write_video

REELS = ("left", "middle", "right")
CLASS_NAMES = tuple(f"{reel} {way}" for reel in REELS for way in ("up-down", "down-up"))
"""Class 2 r is reel r up and down again, class 2 r + 1 down and up again."""

HALF_LENGTHS = (6, 60)  # frames that an action turns one way, drawn evenly on a logarithmic scale
SPEED = 2.5  # of a reel in the middle of a turn, pixels a frame; it starts and stops gently
VIDEO_LENGTHS = (600, 750)  # frames
LEAST_GAP, GAP = 8, 36  # frames that a reel stands still between two events: at least, and more on average
TOUCHING = 0.3  # share of actions that the next one of the reel follows without a gap
ONE_WAY = 0.3  # share of other events that are no action but a turn one way
DRIFT = 0.99  # of the light from one frame to the next
LIGHT = 12.0  # standard deviation of the light, grey levels


@dataclass(frozen=True, eq=False)
class Schedule:
    """What happens in one video."""

    turned: NDArray[np.int64]
    """(T, reels) how far up each reel has turned at each frame, in 1 / `STEPS` pixels."""
    actions: NDArray[np.int64]
    """(N, 3) first frame, end frame, class, in the order of time."""


@dataclass(frozen=True)
class SyntheticData:
    """Where `make` put things."""

    annotations: Path
    """Subsets training, test and unseen."""
    videos: tuple[Path, ...]
    """The videos of subsets training and test."""
    unseen: Path
    """The one video of subset unseen."""


def make(folder: str | Path, *, seed: int = 0, training_videos: int = 70, test_videos: int = 10) -> SyntheticData:
    """Writes the data set: `annotations.json`, and `videos/<id>.mp4`.

    Args:
        folder: made if missing; files in it are replaced.
        seed: of everything drawn; equal seeds give equal annotations and frames.
        training_videos: videos of subset training.
        test_videos: videos of subset test.
    """
    folder = Path(folder)
    subsets = ["training"] * training_videos + ["test"] * test_videos + ["unseen"]
    paths = [
        folder / "videos" / ("unseen.mp4" if subset == "unseen" else f"{subset}_{i:03d}.mp4")
        for i, subset in enumerate(subsets)
    ]
    with ThreadPoolExecutor() as pool:  # drawing and encoding leave Python's lock
        schedules = list(pool.map(_make_video, paths, ([seed, i] for i in range(len(paths)))))
    database = {
        path.stem: _entry(schedule, subset) for path, schedule, subset in zip(paths, schedules, subsets, strict=True)
    }
    annotations = folder / "annotations.json"
    write_whole(annotations, json.dumps({"version": "synthetic", "database": database}, indent=1) + "\n")
    return SyntheticData(annotations, tuple(paths[:-1]), paths[-1])


def _make_video(path: Path, seed: list[int]) -> Schedule:
    rng = np.random.default_rng(seed)
    schedule = draw_schedule(rng)
    light = LIGHT * drift(rng, len(schedule.turned))
    write_video(path, draw_frames(schedule.turned, light, rng))
    return schedule


def draw_schedule(rng: np.random.Generator) -> Schedule:
    """What happens in a video of random length."""
    length = int(rng.integers(VIDEO_LENGTHS[0], VIDEO_LENGTHS[1] + 1))
    turned = np.tile(rng.integers(RING * STEPS, size=len(WINDOWS)), (length, 1))
    actions: list[tuple[int, int, int]] = []
    for reel in range(len(WINDOWS)):
        actions += _draw_events(rng, turned[:, reel], reel)
    return Schedule(turned, np.array(sorted(actions), dtype=np.int64).reshape(-1, 3))


def _draw_events(rng: np.random.Generator, turned: NDArray[np.int64], reel: int) -> list[tuple[int, int, int]]:
    """Lets the events of one reel happen one after the other: (first frame, end frame, class) of each action."""
    actions: list[tuple[int, int, int]] = []
    start, touching = 0, False
    while True:
        one_way = not touching and rng.random() < ONE_WAY
        down = int(rng.integers(2))
        half = round(np.exp(rng.uniform(*np.log(HALF_LENGTHS))))
        start += 0 if touching else LEAST_GAP + int(rng.exponential(GAP - LEAST_GAP))
        path = turn(half) if one_way else there_and_back(half)
        stop = start + len(path) - 1
        if stop >= len(turned):
            return actions
        turned[start:] += np.append(path, np.full(len(turned) - stop - 1, path[-1])) * (-1 if down else 1)
        if not one_way:
            actions.append((start, stop, 2 * reel + down))
        start, touching = stop, not one_way and rng.random() < TOUCHING


def turn(frames: int) -> NDArray[np.int64]:
    """(frames + 1,) positions, from 0 on, of a reel that turns up for so many frames, in 1 / `STEPS` pixels.

    The speed is half a sine wave, and rounding keeps it the same from either end.
    """
    half_way = round(SPEED * STEPS * frames / np.pi)
    from_the_middle = np.arange(frames + 1) - frames / 2
    path: NDArray[np.int64] = half_way + np.rint(half_way * np.sin(np.pi * from_the_middle / frames)).astype(np.int64)
    return path


def there_and_back(frames: int) -> NDArray[np.int64]:
    """(2 frames + 1,) positions of a reel that turns up and, as far, down again."""
    up = turn(frames)
    return np.append(up, up[-2::-1])


def drift(rng: np.random.Generator, length: int) -> NDArray[np.float32]:
    """(length,) a slow random walk that stays around 0, of variance 1."""
    steps = rng.normal(scale=np.sqrt(1 - DRIFT**2), size=length)
    level = np.empty(length, dtype=np.float32)
    now = rng.normal()
    for i, step in enumerate(steps):
        level[i] = now = DRIFT * now + step
    return level


def _entry(schedule: Schedule, subset: str) -> dict[str, Any]:
    """What the annotation file says of a video."""
    actions = [
        {"segment": [start / FPS, stop / FPS], "label": CLASS_NAMES[label], "label_id": label}
        for start, stop, label in schedule.actions.tolist()
    ]
    return {"subset": subset, "duration": len(schedule.turned) / FPS, "fps": FPS, "annotations": actions}
