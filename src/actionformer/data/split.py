"""Videos held out for evaluation: every class on both sides, and videos that share a person or a place on one.

The split is by iterative stratification (Sechidis, Tsoumakas and Vlahavas, On the Stratification of Multi-Label Data,
2011), of groups instead of examples. G groups, K classes, P parts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.core.words import plural
from actionformer.data.groups import Groups, groups_of

HELD_OUT = "held out"
"""The subset of the videos that a run evaluates on where the annotation file has none for that."""
TRIALS = 20
"""Splits that are drawn until one has every class on all sides."""
NEAR = 0.1
"""Share of a part's size that it may be off for a split to be taken at once."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Videos to train on and videos held out."""

    trained: tuple[str, ...]
    held_out: tuple[str, ...]
    """Ids, in the order of the annotations."""
    groups: Groups
    one_sided: tuple[str, ...]
    """Classes that only one of the two has."""

    def __str__(self) -> str:
        """How much is held out."""
        return f"{len(self.held_out):,} of {plural(len(self.trained) + len(self.held_out), 'video')}"


def split(annotations: Annotations, share: float, *, seed: int) -> Split:
    """Holds a share of videos out.

    Videos of one group (see `groups_of`) stay together. Every class that several groups have is on both sides, where
    that is possible. Equal seeds give equal splits.

    Args:
        annotations: the videos to split, such as those of the training subset.
        share: of videos and of actions to hold out, between 0 and 1.
        seed: of what is drawn where several splits are as good.

    Raises:
        InputError: a share that does not lie between 0 and 1, or a single video or group.
    """
    check_share(share)
    parts = _Parts(annotations, [share, 1 - share], seed)
    return parts.held_out(0)


def can_be_split(annotations: Annotations) -> bool:
    """Whether two groups have actions, so that one can be held out and the other learned from."""
    of = groups_of(annotations).of
    return len({of[id_] for id_, video in annotations.videos.items() if len(video.labels)}) >= 2


def folds(annotations: Annotations, count: int, *, seed: int) -> list[Split]:
    """As many splits, each of which holds other videos out; together they hold each out once. See `split`.

    Raises:
        InputError: fewer than 2 folds, or more than there are videos or groups.
    """
    check_folds(count)
    parts = _Parts(annotations, [1 / count] * count, seed)
    return [parts.held_out(part) for part in range(count)]


def check_share(share: float) -> None:
    """Raises an InputError unless a share to hold out lies between 0 and 1."""
    if not 0 < share < 1:
        raise InputError(f"validation: expected a share between 0 and 1, such as 0.25, found {share:g}")


def check_folds(count: int) -> None:
    """Raises an InputError if there are fewer than 2 folds."""
    if count < 2:
        raise InputError(f"folds: expected 2 or more, found {count}")


def with_held_out(annotations: Annotations, held_out: Collection[str]) -> Annotations:
    """The annotations with these videos in the subset `HELD_OUT`, whatever subset they were in."""
    wanted = set(held_out)
    moved = {
        id_: replace(video, subset=HELD_OUT) if id_ in wanted else video for id_, video in annotations.videos.items()
    }
    return replace(annotations, videos=moved)


class _Parts:
    """Videos in parts, every group in one of them."""

    def __init__(self, annotations: Annotations, shares: Sequence[float], seed: int) -> None:
        self.annotations, self.groups = annotations, groups_of(annotations)
        names = sorted(set(self.groups.of.values()))
        if len(names) < len(shares):
            there = plural(len(names), "video" if self.groups.by is None else "video group")
            raise InputError(f"{annotations.source}: {there} cannot be split into {len(shares)} parts")
        counts = _counts(annotations, self.groups.of, names)
        parts = allot(counts, np.array(shares), np.random.default_rng([seed, len(names)]))
        self.place = dict(zip(names, parts.tolist(), strict=True))

    def held_out(self, part: int) -> Split:
        """The split that holds one part out."""
        videos = self.annotations.videos
        asked = {id_ for id_ in videos if self.place[self.groups.of[id_]] == part}
        sides = [
            {label for id_ in side for label in videos[id_].labels.tolist()} for side in (asked, videos.keys() - asked)
        ]
        return Split(
            tuple(id_ for id_ in videos if id_ not in asked),
            tuple(id_ for id_ in videos if id_ in asked),
            self.groups,
            tuple(self.annotations.class_names[label] for label in sorted(sides[0] ^ sides[1])),
        )


def _counts(annotations: Annotations, of: Mapping[str, str], names: Sequence[str]) -> Floats:
    """(G, K + 1) actions of each class in each group, and last its videos."""
    rows = {name: row for row, name in enumerate(names)}
    counts = np.zeros((len(names), len(annotations.class_names) + 1))
    for id_, video in annotations.videos.items():
        np.add.at(counts[rows[of[id_]]], [*video.labels.tolist(), -1], 1)
    return counts


def allot(counts: Floats, shares: Floats, rng: np.random.Generator) -> Ints:
    """Puts groups into parts so that each part has its share of every column.

    Several splits are drawn and the best is taken: that with the fewest columns lacking in a part though there are as
    many groups that have it as parts, and of those the one whose parts have most nearly the sizes asked for.

    Args:
        counts: (G, K) of what each group has; the last column is its size.
        shares: (P,) of the parts, which sum to 1.
        rng: draws the order of equals.

    Returns:
        (G,) the part of each group; no part is empty. G must be at least P.
    """
    best, least = np.empty(0, np.int64), (np.inf, np.inf)
    for _ in range(TRIALS):
        parts = _drawn(counts, shares, rng)
        have = np.stack([counts[parts == part].sum(axis=0) for part in range(len(shares))])
        lacking = int(((have == 0) & ((counts > 0).sum(axis=0) >= len(shares))).sum())
        off = float(np.abs(have[:, -1] / counts[:, -1].sum() / shares - 1).max())
        if (lacking, off) < least:
            best, least = parts, (lacking, off)
        if not lacking and off <= NEAR:
            break
    return best


def _drawn(counts: Floats, shares: Floats, rng: np.random.Generator) -> Ints:
    """One split: always of the column that fewest of the remaining groups have, its largest group comes first.

    It goes to the part that lacks most of that column, then to the one that has least of it, then to the one that lacks
    most groups. The last groups go to parts that have none yet.
    """
    order = rng.permutation(len(counts))
    counts = counts[order]
    wanted = shares[:, None] * counts.sum(axis=0)
    have = np.zeros_like(wanted)
    left = (counts > 0).sum(axis=0)
    parts = np.full(len(counts), -1)
    for done in range(len(counts)):
        column = int(np.where(left > 0, left, len(counts) + 1).argmin())
        group = int(np.where(parts < 0, counts[:, column], -1).argmax())
        lacks = wanted - have
        keys = (rng.random(len(shares)), -lacks[:, -1], have[:, column], -lacks[:, column])
        empty = have[:, -1] == 0
        must = empty if len(counts) - done <= empty.sum() else np.zeros_like(empty)
        part = int(np.lexsort((*keys, ~must))[0])
        parts[group] = part
        have[part] += counts[group]
        left -= counts[group] > 0
    return parts[np.argsort(order)]
