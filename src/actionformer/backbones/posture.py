"""Key points of bodies -> numbers of posture and movement, the same wherever in the picture and however large they are.

Points are complex numbers, x + iy in pixels (y grows downwards): a difference is a way, its absolute value a length,
and a product with a number of length 1 turns it. A point that is not seen is NaN, and so is what needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Poses = NDArray[np.float32]
"""(N, K, 3): x and y in pixels, and the confidence, of K points of N bodies; x and y are NaN where one is not seen."""
Points = NDArray[np.complex128]
Numbers = NDArray[np.float64]

UNSEEN = complex(np.nan, np.nan)
FASTEST = 50.0
"""Lengths of the torso a second. What seems faster is a point that was mistaken for another one, and is cut to this."""
PATIENCE = 0.5
"""Seconds without the origin in which nothing is relative to anything, as another origin would make all points leap."""
MEMORY = 5.0
"""Seconds over which the length of the torso is averaged: bending makes it look shorter, which says nothing of size."""


@dataclass(frozen=True)
class Body:
    """Which points of a skeleton say where a body is, how large it is and which way it points.

    Args:
        points: K.
        origin: points whose middle positions are relative to: the hips of people, where the tail begins in animals.
        end: points whose middle is the other end of the torso, or trunk.
        animals: N, bodies in the picture.
        turned: whether positions are turned until the torso points right, as for animals that are seen from above.
    """

    points: int
    origin: tuple[int, ...]
    end: tuple[int, ...]
    animals: int = 1
    turned: bool = False

    @property
    def numbers(self) -> int:
        """How many numbers describe all bodies at a moment."""
        return self.animals * (5 * self.points + 8) + 6 * self.animals * (self.animals - 1) // 2


def described(poses: Iterable[Poses], body: Body, fps: float) -> Iterator[NDArray[np.float32]]:
    """The numbers of every moment, (F,); NaN where a number needs a point that is not seen.

    Of each body: where its points are (x of all, then y), as seen from the origin, in lengths of the torso; how fast
    they move there (likewise), in lengths of the torso a second; their confidences; width and height of the box around
    them; how fast the body moves (x, y) and its points spread (the logarithm, a second); which way the torso points
    (cosine, sine) and how fast it turns (radians a second). Of each pair of bodies, see `Posture.between`.

    Where the origin is not seen for longer than `PATIENCE`, or was not so far, the middle of all points that are seen
    stands for it. Where the torso was not seen so far, the spread of the points stands for its length.

    Args:
        poses: (N, K, 3) in the order of time.
        body: what the points are.
        fps: moments a second.
    """
    sizes = Sizes(fps)
    before: Posture | None = None
    for pose in poses:
        with np.errstate(invalid="ignore"):  # NaN is meant
            now = Posture.of(pose, body, sizes, before, PATIENCE * fps)
            numbers = np.concatenate([*now.alone(before, fps), *now.together(before, fps)])
        yield numbers.astype(np.float32)
        before = now


def pooled(clips: Tensor) -> Tensor:
    """Numbers of moments (B, T, F), NaN where not seen -> their means over each clip, then their deviations (B, 2F).

    Moments in which a number is not seen are left out; one that is seen in none has mean and deviation 0.
    """
    mean = clips.nanmean(1, keepdim=True)
    deviation = (clips - mean).square().nanmean(1).sqrt()
    return torch.cat([mean[:, 0], deviation], 1).nan_to_num(0.0)


class Sizes:
    """How long the torso of each body is, where seen: the geometric mean of about the last `MEMORY` seconds."""

    def __init__(self, fps: float) -> None:
        self._longest = max(fps * MEMORY, 1.0)
        self._torsos, self._spreads = _Mean(), _Mean()

    def seen(self, torso: Numbers, spread: Numbers) -> Numbers:
        """Takes in lengths of torsos and spreads of points, both (N,), NaN where not seen; gives the size (N,)."""
        torsos = self._torsos.with_value(np.log(torso), self._longest)
        spreads = self._spreads.with_value(np.log(spread), self._longest)
        return np.exp(np.where(np.isnan(torsos), spreads, torsos))


@dataclass
class _Mean:
    """Means of values that come one after another, NaN before the first: of all, later of about the last `longest`."""

    mean: Numbers = field(default_factory=lambda: np.array(np.nan))
    count: Numbers = field(default_factory=lambda: np.array(0.0))

    def with_value(self, value: Numbers, longest: float) -> Numbers:
        seen = np.isfinite(value)
        self.count = np.minimum(self.count + seen, longest)
        change = np.where(seen, value - np.where(self.count > 1, self.mean, 0.0), 0.0) / np.maximum(self.count, 1)
        self.mean = np.where(seen & (self.count <= 1), value, self.mean + change)
        return self.mean


@dataclass(frozen=True)
class Posture:
    """The bodies of one moment."""

    places: Points
    """(N, K) in the picture."""
    confidences: Numbers
    """(N, K)"""
    origin: Points
    """(N,)"""
    size: Numbers
    """(N,) pixels: the length of the torso."""
    heading: Points
    """(N,) the way of the torso from its origin, of length 1; where it is not seen, the last one that was."""
    relative: Points
    """(N, K) as seen from the origin, in lengths of the torso, turned where bodies are."""
    turned: bool
    waited: Numbers
    """(N,) moments for which the origin has not been seen."""

    @classmethod
    def of(cls, pose: Poses, body: Body, sizes: Sizes, before: Posture | None, patience: float) -> Posture:
        """The posture of a pose (N, K, 3) that follows another one; `patience` is in moments."""
        places = pose[..., 0].astype(np.float64) + 1j * pose[..., 1]
        origin, end = (middle(places[:, list(points)]) for points in (body.origin, body.end))
        way = end - origin
        torso = np.where(np.abs(way) > 0, np.abs(way), np.nan)
        heading = way / torso
        if before is not None:
            heading = np.where(np.isnan(heading), before.heading, heading)
        waited = np.where(np.isnan(origin), np.inf if before is None else before.waited + 1, 0)
        origin = np.where(waited > patience, middle(places), origin)
        size = sizes.seen(torso, spread(places))
        relative = (places - origin[:, None]) / size[:, None]
        if body.turned:
            relative = relative * heading.conj()[:, None]
        return cls(places, pose[..., 2].astype(np.float64), origin, size, heading, relative, body.turned, waited)

    def alone(self, before: Posture | None, fps: float) -> Iterator[Numbers]:
        """The numbers of each body."""
        before = before or self
        velocity = (self.relative - before.relative) * fps
        both = ~np.isnan(self.places) & ~np.isnan(before.places)
        now, then = (np.where(both, posture.places, UNSEEN) for posture in (self, before))
        shift = self._turned(middle(now - then) / self.size) * fps
        sides = box(self.relative)
        growth = np.log(spread(now) / spread(then)) * fps
        turn = np.angle(self.heading * before.heading.conj()) * fps
        for body in range(len(self.places)):
            yield parts(self.relative[body])
            yield parts(velocity[body]).clip(-FASTEST, FASTEST)
            yield np.nan_to_num(self.confidences[body])
            yield parts(sides[body, None])
            yield np.append(parts(shift[body, None]), growth[body]).clip(-FASTEST, FASTEST)
            yield np.append(parts(self.heading[body, None]), turn[body])

    def together(self, before: Posture | None, fps: float) -> Iterator[Numbers]:
        """The numbers of each pair of bodies; see `between`."""
        before = before or self
        for first, second in combinations(range(len(self.places)), 2):
            now, then = self.between(first, second), before.between(first, second)
            yield np.append(now, ((now[-1] - then[-1]) * fps).clip(-FASTEST, FASTEST))

    def between(self, first: int, second: int) -> Numbers:
        """Where the second body is as the first one sees it (x, y), the reverse, and how far they are apart.

        In lengths of the torso of the one that sees; the distance, in their geometric mean. `together` adds how fast
        the distance grows.
        """
        way = self.origin[second] - self.origin[first]
        ways: Points = np.array([way, -way], np.complex128) / self.size[[first, second]]
        seen = self._turned(ways, [first, second])
        distance = np.abs(way) / np.sqrt(self.size[first] * self.size[second])
        return np.append(np.stack([seen.real, seen.imag], 1).ravel(), distance)

    def _turned(self, ways: Points, bodies: list[int] | slice = slice(None)) -> Points:
        return ways * self.heading[bodies].conj() if self.turned else ways


def middle(places: Points) -> Points:
    """The mean of the points (N, K) of each body that are seen, (N,); NaN where none is."""
    seen = ~np.isnan(places)
    total = np.where(seen, places, 0).sum(1)
    return np.where(seen.any(1), total / np.maximum(seen.sum(1), 1), UNSEEN)


def box(places: Points) -> Points:
    """Width + i height of the box around the points (N, K) of each body that are seen, (N,); NaN where none is."""
    seen = ~np.isnan(places)
    width, height = (
        np.where(seen, part, -np.inf).max(1) - np.where(seen, part, np.inf).min(1)
        for part in (places.real, places.imag)
    )
    return np.where(seen.any(1), width + 1j * height, UNSEEN)


def spread(places: Points) -> Numbers:
    """The root of the mean squared distance of the points (N, K) of each body that are seen from their middle, (N,).

    NaN where they lie in fewer than two places.
    """
    away = np.abs(places - middle(places)[:, None])
    length = np.sqrt(np.where(np.isnan(away), 0, away**2).sum(1) / np.maximum((~np.isnan(away)).sum(1), 1))
    return np.where(length > 0, length, np.nan)


def parts(places: Points) -> Numbers:
    """The x of complex numbers (K,), then their y: (2K,)."""
    return np.concatenate([places.real, places.imag])
