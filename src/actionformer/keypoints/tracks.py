"""What a file of key points holds, whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float32]
"""(T, N, K, 3): x and y in pixels, and the confidence, of K points of N animals; NaN where there is none."""


Part = Literal["x", "y", "confidence"]
PARTS: tuple[Part, ...] = ("x", "y", "confidence")
"""In the order of `Places`."""


NOWHERE = 0.0, -1.0
"""What programs write for both coordinates of a point that they have not found; one that always lies there is meant."""


class Column(NamedTuple):
    """What a column of numbers holds."""

    animal: str
    point: str
    part: Part


@dataclass(frozen=True)
class Tracks:
    """The key points of animals, or people, over time."""

    animals: tuple[str, ...]
    """N names."""
    points: tuple[str, ...]
    """K names."""
    places: Places
    """(T, N, K, 3), frame by frame."""
    least: float
    """The confidence below which a point is not believed, as users of the program that found them have it."""
    seconds: NDArray[np.float64] | None = None
    """When each frame was taken, (T,), where the file says so."""


def assembled(
    columns: Sequence[Column], values: NDArray[np.float32], least: float, seconds: NDArray[np.float64] | None = None
) -> Tracks:
    """Columns of numbers (T, C) as tracks; animals and points in the order in which columns name them first."""
    animals, points = (
        tuple(dict.fromkeys(names)) for names in zip(*((c.animal, c.point) for c in columns), strict=True)
    )
    places = np.full((len(values), len(animals), len(points), 3), np.nan, np.float32)
    for index, (animal, point, part) in enumerate(columns):
        places[:, animals.index(animal), points.index(point), PARTS.index(part)] = values[:, index]
    for nowhere in NOWHERE:
        there = (places[..., :2] == nowhere).all(-1)
        always = (there | np.isnan(places[..., 0])).all(0)
        places[there & ~always] = np.nan
    return Tracks(animals, points, places, least, seconds)


def believed(places: Places, least: float) -> Places:
    """Places of points that are not believed become NaN. Where no confidence is given it is 1, or 0 without a place."""
    x, y, confidence = np.moveaxis(places, -1, 0)
    given = np.isfinite(x) & np.isfinite(y)
    confidence = np.where(np.isfinite(confidence), confidence, given)
    seen = given & (confidence >= least)
    return np.stack([np.where(seen, x, np.nan), np.where(seen, y, np.nan), confidence], -1).astype(np.float32)
