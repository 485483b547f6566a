"""Made key points: a mouse that walks, and now and then rears, as DeepLabCut writes them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

POINTS = ("nose", "left_ear", "right_ear", "neck", "tailbase")
LYING = np.array([40, 30 - 6j, 30 + 6j, 22, -20])
FPS = 30


def scurrying(seconds: float, rears: list[tuple[float, float]], seed: int) -> NDArray[np.float64]:
    """x, y and likelihood of five points, (T, 5, 3). Reared up, its head is seen near the tail.

    Args:
        seconds: how long.
        rears: when it rears, each from and to a second.
        seed: of the way that it takes, of its size, and of the points that are mistaken.
    """
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * FPS)) / FPS
    up = np.any([(times >= begin) & (times < end) for begin, end in rears] or [times < 0], axis=0)
    way = np.exp(1j * (rng.uniform(0, 6) + np.cumsum(rng.normal(0, 0.08, len(times)))))
    body = np.where(up[:, None] & (LYING.real > 0), 0.55, 1.0) * LYING
    places = rng.uniform(0.6, 1.6) * body * way[:, None] + np.cumsum(np.where(up, 0, 3 * way))[:, None]
    likelihood = rng.uniform(0.8, 1, places.shape)
    wrong = rng.random(places.shape) < 0.03
    places = places + np.where(wrong, rng.uniform(-200, 200, places.shape), rng.normal(0, 1, places.shape))
    return np.stack([places.real, places.imag, np.where(wrong, 0.1, likelihood)], -1)


def write_deeplabcut(path: Path, bodies: NDArray[np.float64], animals: tuple[str, ...] = ()) -> Path:
    """Bodies (T, N, 5, 3), or (T, 5, 3) of one animal, as the CSV of DeepLabCut."""
    named = [(animal, point, part) for animal in animals or ("",) for point in POINTS
             for part in ("x", "y", "likelihood")]  # fmt: skip
    individuals, bodyparts, coords = zip(*named, strict=True)
    header = {"scorer": ["DLC_resnet50"] * len(named), "individuals": individuals, "bodyparts": bodyparts,
              "coords": coords}  # fmt: skip
    lines = [",".join([name, *cells]) for name, cells in header.items() if animals or name != "individuals"]
    rows = bodies.reshape(len(bodies), -1)
    lines += [",".join([str(number), *(f"{value:.3f}" for value in row)]) for number, row in enumerate(rows)]
    path.write_text("\n".join([*lines, ""]), "utf-8")
    return path
