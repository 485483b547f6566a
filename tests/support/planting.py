"""A small data set of sane features and annotations, in which a test may plant a fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = ("jump", "run", "wave", "throw ball", "climb_1", "climb_2")
FPS, STRIDE, NUM_FRAMES, WIDTH = 30, 4, 16, 24
Video = dict[str, Any]


@dataclass
class Planted:
    """Annotations in memory and a folder of features."""

    folder: Path
    database: dict[str, Video]

    @property
    def features(self) -> Path:
        return self.folder / "features"

    @property
    def annotations(self) -> Path:
        """The file, written as the annotations are now."""
        path = self.folder / "annotations.json"
        path.write_text(json.dumps({"database": self.database}), "utf-8")
        return path

    @property
    def training(self) -> list[str]:
        return [id_ for id_, video in self.database.items() if video["subset"] == "training"]

    @property
    def test(self) -> list[str]:
        return [id_ for id_, video in self.database.items() if video["subset"] == "validation"]

    def actions(self) -> list[dict[str, Any]]:
        return [action for video in self.database.values() for action in video["annotations"]]

    def each_time(self, change: Callable[[float], float], *, durations: bool = True) -> None:
        """Changes every time of every action; durations stay, or are taken away."""
        for video in self.database.values():
            for action in video["annotations"]:
                action["segment"] = [change(time) for time in action["segment"]]
            if not durations:
                video.pop("duration", None)

    def array(self, id_: str) -> NDArray[Any]:
        array: NDArray[Any] = np.load(self.features / f"{id_}.npy")
        return array

    def save(self, id_: str, array: NDArray[Any], **sidecar: Any) -> None:
        """Writes features, and what the sidecar is to say otherwise."""
        np.save(self.features / f"{id_}.npy", array)
        said = {"fps": FPS, "stride": STRIDE, "num_frames": NUM_FRAMES, **sidecar}
        (self.features / f"{id_}.json").write_text(json.dumps(said), "utf-8")

    def change(self, id_: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        self.save(id_, change(self.array(id_)))

    def sidecars(self, **said: Any) -> None:
        for id_ in self.database:
            self.save(id_, self.array(id_), **said)

    def remove(self, id_: str) -> None:
        (self.features / f"{id_}.npy").unlink()
        (self.features / f"{id_}.json").unlink()


def sane(folder: Path, *, seed: int = 0, videos: int = 14) -> Planted:
    """Videos of 40 to 80 s with some six actions of 1 to 6 s, features that say which goes on, and two subsets."""
    rng = np.random.default_rng(seed)
    planted = Planted(folder, {})
    planted.features.mkdir(parents=True)
    directions, usual = rng.normal(size=(len(CLASSES), WIDTH)) * 1.5, rng.normal(size=WIDTH)
    for number in range(videos):
        duration = round(float(rng.uniform(40, 80)), 2)
        length = int((duration * FPS - NUM_FRAMES) // STRIDE) + 1
        centre = (np.arange(length) * STRIDE + NUM_FRAMES / 2) / FPS
        array = rng.normal(size=(length, WIDTH)) + usual
        actions, at = [], 0.5
        while True:
            at += rng.exponential(2) + 0.5
            size, label = rng.uniform(1, 6), int(rng.integers(len(CLASSES)))
            if at + size > duration - 0.5:
                break
            array[(centre >= at) & (centre <= at + size)] += directions[label]
            actions.append({"segment": [round(at, 3), round(at + size, 3)], "label": CLASSES[label]})
            at += size
        id_ = f"video_{number:02d}"
        planted.save(id_, array.astype(np.float32))
        subset = "training" if number < 0.7 * videos else "validation"
        planted.database[id_] = {"subset": subset, "duration": duration, "annotations": actions}
    return planted
