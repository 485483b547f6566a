"""A made data set that shows what a frame alone cannot tell.

Classes come in pairs, an action and its reverse: opening a door goes from the pose "closed" to the pose "open",
closing it goes back. Both consist of the same frames; only their order tells which it was, and where it starts and
ends. Actions of different pairs overlap in time, those of one pair may follow each other without a gap, lengths
differ tenfold, and poses are also held for a while without an action.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.features import FeatureSpec, write_sidecar
from actionformer.files import write_whole
from actionformer.segments import TimeGrid

Floats = NDArray[np.float64]

CLASS_NAMES = ("open door", "close door", "sit down", "stand up", "pick up", "put down")
"""Class c starts in pose c and ends in the pose of its reverse, c + 1 or c - 1."""

STEPS_PER_SECOND = 10.0
GRID = TimeGrid(fps=STEPS_PER_SECOND, stride=1, num_frames=1)
ACTION_LENGTHS = (5, 50)  # steps, drawn evenly on a logarithmic scale
SEQUENCE_LENGTHS = (400, 800)  # steps
GAP = 30  # mean steps between two events of a pair
TOUCHING = 0.3  # share of actions that the next one of the pair follows without a gap
HELD = 0.3  # share of other events that are no action but a held pose
DRIFT = 0.98  # of the background from one step to the next


@dataclass(frozen=True, eq=False)
class Sequence:
    """Features of one made video and the actions in it."""

    features: NDArray[np.float32]
    """(T, D)"""
    segments: Floats
    """(N, 2) seconds."""
    labels: NDArray[np.int64]
    """(N,) indices into `CLASS_NAMES`."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return GRID.seconds_covered(len(self.features))


@dataclass(frozen=True)
class SyntheticData:
    """Where `make` put things."""

    annotations: Path
    """Subsets training, test and unseen."""
    features: Path
    """Folder of feature files and sidecars."""
    unseen: Path
    """Features of the one video of subset unseen."""


def make(
    folder: str | Path,
    *,
    seed: int = 0,
    training_videos: int = 60,
    test_videos: int = 16,
    channels: int = 32,
    noise: float = 0.4,
) -> SyntheticData:
    """Write the data set: `annotations.json`, and `features/<id>.npy` with sidecars.

    Args:
        folder: made if missing; files in it are replaced.
        seed: of everything drawn; equal seeds give equal files.
        training_videos: sequences of subset training.
        test_videos: sequences of subset test.
        channels: D.
        noise: standard deviation of what is added to every value; a pose moves a channel by 0.5 on average.
    """
    folder = Path(folder)
    mixing = draw_mixing(np.random.default_rng([seed, 0]), channels)
    subsets = ["training"] * training_videos + ["test"] * test_videos + ["unseen"]
    database = {}
    for i, subset in enumerate(subsets):
        name = subset if subset == "unseen" else f"{subset}_{i:03d}"
        sequence = draw_sequence(np.random.default_rng([seed, 1, i]), mixing, noise)
        _write_features(folder / "features" / f"{name}.npy", sequence)
        database[name] = _entry(sequence, subset)
    annotations = folder / "annotations.json"
    write_whole(annotations, json.dumps({"version": "synthetic", "database": database}, indent=1) + "\n")
    return SyntheticData(annotations, folder / "features", folder / "features" / "unseen.npy")


def draw_mixing(rng: np.random.Generator, channels: int) -> Floats:
    """(poses + background, channels): how much each shows in each channel, never negative, 0.5 on average."""
    return rng.gamma(shape=1.0, scale=0.5, size=(len(CLASS_NAMES) + 1, channels))


def draw_sequence(rng: np.random.Generator, mixing: Floats, noise: float) -> Sequence:
    """One made video of random length."""
    length = int(rng.integers(SEQUENCE_LENGTHS[0], SEQUENCE_LENGTHS[1] + 1))
    activity = np.zeros((length, len(mixing)))
    actions: list[tuple[int, int, int]] = []
    for pair in range(len(CLASS_NAMES) // 2):
        actions += _draw_pair(rng, activity, pair)
    activity[:, -1] = _drift(rng, length)
    features = activity @ mixing + rng.normal(scale=noise, size=(length, mixing.shape[1]))
    rows = np.array(sorted(actions), dtype=np.int64).reshape(-1, 3)
    return Sequence(features.astype(np.float32), rows[:, :2] / STEPS_PER_SECOND, rows[:, 2])


def _draw_pair(rng: np.random.Generator, activity: Floats, pair: int) -> list[tuple[int, int, int]]:
    """Let the events of one pair of classes happen one after the other: (first step, end step, class) of each."""
    actions: list[tuple[int, int, int]] = []
    start, touching = 0, False
    while True:
        held = not touching and rng.random() < HELD
        label = 2 * pair + int(rng.integers(2))
        length = round(np.exp(rng.uniform(*np.log(ACTION_LENGTHS))))
        start += 0 if touching else 1 + int(rng.exponential(GAP))
        stop = start + length
        if stop > len(activity):
            return actions
        progress = np.zeros(length) if held else (np.arange(length) + 0.5) / length
        activity[start:stop, label] += 1 - progress
        activity[start:stop, label ^ 1] += progress
        if not held:
            actions.append((start, stop, label))
        start, touching = stop, not held and rng.random() < TOUCHING


def _drift(rng: np.random.Generator, length: int) -> Floats:
    """(length,) a slow random background of variance 1."""
    steps = rng.normal(scale=np.sqrt(1 - DRIFT**2), size=length)
    level = np.empty(length)
    now = rng.normal()
    for i, step in enumerate(steps):
        level[i] = now = DRIFT * now + step
    return level


def _write_features(path: Path, sequence: Sequence) -> None:
    content = io.BytesIO()
    np.save(content, sequence.features)
    write_whole(path, content.getvalue())
    spec = FeatureSpec(
        fps=GRID.fps,
        stride=GRID.stride,
        num_frames=GRID.num_frames,
        backbone="synthetic",
        duration=sequence.duration,
        dim=sequence.features.shape[1],
    )
    write_sidecar(path, spec)


def _entry(sequence: Sequence, subset: str) -> dict[str, Any]:
    """What the annotation file says of a sequence."""
    actions = [
        {"segment": segment, "label": CLASS_NAMES[label], "label_id": label}
        for segment, label in zip(sequence.segments.tolist(), sequence.labels.tolist(), strict=True)
    ]
    return {"subset": subset, "duration": sequence.duration, "fps": GRID.fps, "annotations": actions}
