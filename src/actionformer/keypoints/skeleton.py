"""Which points, of how many animals, features are made of, and which of them say where a body is and how large."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from actionformer.core.errors import InputError, listed, warn
from actionformer.core.names import known_name
from actionformer.core.words import plural
from actionformer.keypoints.tracks import Places, Tracks, believed

SEEN_ENOUGH = 0.1
"""Share of its frames in which an animal of the first file is seen; others are left out."""
ORIGINS = ("hip", "pelvis", "midhip", "tailbase", "basetail", "tailstart", "tailset", "tti", "abdomen", "centroid",
           "bodycenter", "bodycentre", "center", "centre", "body", "thorax")  # fmt: skip
"""What may stand for hips, the best first: of people, of rodents, of insects, of what has a centre alone."""
ENDS = ("shoulder", "withers", "neck", "nape", "thorax", "scapula", "head", "skull", "ear", "nose", "snout")
"""What may stand for shoulders, the best first."""
SIDES = ("left", "right", "l", "r")


@dataclass(frozen=True)
class Skeleton:
    """The points that are looked at, as the name of the backbone says them: `tailbase/neck/2/nose,neck,tailbase`.

    Args:
        origin: points whose middle positions are relative to; none: chosen by their names.
        end: points whose middle is the other end of the trunk.
        animals: how many; 0: as many as the first file has.
        points: all that are looked at; none: those of the first file.
    """

    origin: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    animals: int = 0
    points: tuple[str, ...] = ()

    @classmethod
    def parsed(cls, text: str) -> Skeleton:
        """What `str` gives, or its first parts.

        Raises:
            InputError: a text of another form.
        """
        parts = [part.strip() for part in text.split("/")] if text else []
        if len(parts) == 1 or len(parts) > 4 or not all(parts):
            raise InputError(
                f"keypoints:{text}: expected ORIGIN/END, such as keypoints:tailbase/neck or "
                "keypoints:left_hip+right_hip/neck, then perhaps the number of animals and the points, "
                "keypoints:tailbase/neck/2/nose,neck,tailbase"
            )
        if len(parts) > 2 and not (parts[2].isdecimal() and 0 < int(parts[2]) < 100):
            raise InputError(f"keypoints:{text}: {parts[2]!r} is no number of animals from 1 to 99")
        origin, end = (tuple(part.split("+")) for part in parts[:2]) if parts else ((), ())
        points = tuple(parts[3].split(",")) if len(parts) > 3 else ()
        return cls(origin, end, int(parts[2]) if len(parts) > 2 else 0, points)

    def __str__(self) -> str:
        return f"{'+'.join(self.origin)}/{'+'.join(self.end)}/{self.animals}/{','.join(self.points)}"

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be chosen."""
        return bool(self.animals and self.points)

    def fitted(self, tracks: Tracks, where: str) -> Skeleton:
        """The skeleton with what it leaves open chosen for these tracks.

        Raises:
            InputError: fewer than two points, a name that cannot be written, or one of a point that is not there.
        """
        points = self.points or tracks.points
        if awkward := [name for name in points if set(name) & set("/,+")]:
            raise InputError(f"{where}: a point is called {awkward[0]!r}: use names without / , +")
        if len(points) < 2:
            raise InputError(
                f"{where}: has {plural(len(points), 'point')}, expected two at least, for place and direction"
            )
        for name in (*self.origin, *self.end):
            known_name(name, points, f"{where}: no point")
        origin, end = self.origin, self.end
        if not origin:
            origin, end = chosen_ends(points) or _farthest(tracks, points, where)
        animals = self.animals or _number_of_animals(tracks, where)
        return replace(self, origin=origin, end=end, points=points, animals=animals)

    def places(self, tracks: Tracks, where: str) -> tuple[Places, list[str]]:
        """The points of the skeleton, (T, animals, points, 3), NaN where not believed; what the user should know.

        Of more animals those that are seen most are taken, in the order of the file; of fewer the rest are not seen.

        Raises:
            InputError: a point is missing.
        """
        names = [known_name(name, tracks.points, f"{where}: no point") for name in self.points]
        places = believed(tracks.places[:, :, [tracks.points.index(name) for name in names]], tracks.least)
        seen = np.isfinite(places[..., 0])
        shown = seen.any(2).sum(0)
        best = np.sort(np.argsort(-shown, kind="stable")[: self.animals])
        notes = []
        if left_out := [tracks.animals[n] for n in range(len(shown)) if n not in best and shown[n]]:
            notes.append(f"{listed(left_out, 3)} of its animals are left out: those that are seen most are taken")
        if len(best) < self.animals:
            notes.append(
                f"shows {plural(len(best), 'animal')} of {self.animals} that are expected: the rest count as not seen"
            )
        places, seen = places[:, best], seen[:, best]
        if (missing := 1 - seen.mean()) > 0.1:
            notes.append(f"{missing:.0%} of its points are missing or of a confidence below {tracks.least:g}: not seen")
        more = np.full((len(places), self.animals - len(best), len(names), 3), (np.nan, np.nan, 0), np.float32)
        return np.concatenate([places, more], 1), notes


def chosen_ends(points: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """What stands for hips and for shoulders among points, by their names; None where these do not tell."""
    origins, ends = list(_groups(points, ORIGINS)), list(_groups(points, ENDS))
    return next(((origin, end) for origin in origins for end in ends if not set(origin) & set(end)), None)


def _groups(points: Sequence[str], parts: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The points that are called as one of these parts of a body, or are its two sides, part by part."""
    bare = {name: re.sub(r"[^a-z]", "", name.lower()) for name in points}
    for part in parts:
        sided = {name for side in SIDES for name in (side + part, part + side)}
        if found := [name for name in points if bare[name] in (part, f"{part}s", f"mid{part}", f"{part}center")]:
            yield (found[0],)
        elif len(found := [name for name in points if bare[name] in sided]) > 1:
            yield tuple(found)


def _farthest(tracks: Tracks, points: Sequence[str], where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The two points that are farthest apart, as the median over the frames and animals has it."""
    places = believed(tracks.places[:, :, [tracks.points.index(name) for name in points]], tracks.least)[..., :2]
    flat = places.reshape(-1, len(points), 2)
    lengths = {}
    for first, second in combinations(range(len(points)), 2):
        length = np.hypot(*(flat[:, first] - flat[:, second]).T)
        if np.isfinite(length).any():
            lengths[first, second] = float(np.nanmedian(length))
    if not lengths:
        raise InputError(f"{where}: no two points are seen together")
    first, second = max(lengths, key=lambda pair: lengths[pair])
    warn(
        f"{where}: no point is called hips or tail base, neck or nose: the body is taken to reach from {points[first]} "
        f"to {points[second]}, which are farthest apart; say others by --backbone keypoints:ORIGIN/END"
    )
    return (points[first],), (points[second],)


def _number_of_animals(tracks: Tracks, where: str) -> int:
    shown = np.isfinite(believed(tracks.places, tracks.least)[..., 0]).any(2).mean(0)
    if not shown.any():
        raise InputError(f"{where}: no point is seen in any frame")
    return max(int((shown >= SEEN_ENOUGH).sum()), 1)
