"""Class names that are most likely one: `Jump` and `jump`, `jump` and `jmup`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, takewhile

import numpy as np
from numpy.typing import NDArray

from actionformer.checks.findings import Finding
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.errors import listed

RARER = 1 / 3
"""How many actions a class may have, compared with that of the nearly same name, to be taken for a slip of the pen."""

SHORTEST = 4
"""Letters of a word from which on one letter more, less or another hardly makes another word."""


def check_spelling(names: Sequence[str]) -> list[Finding]:
    """Class names that differ by case, blanks, `-` and `_` alone."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_bare(name), []).append(name)
    pairs = [" and ".join(map(repr, group)) for group in groups.values() if len(group) > 1]
    if not pairs:
        return []
    what = "names are spelled in several ways, each of which is taken for a class of its own: "
    return [Finding("spelling", "warning", len(pairs), len(groups), f"class {what}", listed(pairs), "use one of them")]


def check_typos(videos: Sequence[AnnotatedVideo], names: Sequence[str]) -> list[Finding]:
    """Rare classes whose name is that of a more frequent one but for a letter."""
    counts = counts_of(videos, names)
    pairs = [f"{names[rare]!r} ({counts[rare]}) of {names[usual]!r} ({counts[usual]})"
             for rare, usual in _nearly_same(names, counts)]  # fmt: skip
    if not pairs:
        return []
    what = "classes look like misspellings: "
    advice = "correct the labels, or go on if they are different classes"
    return [Finding("typo", "warning", len(pairs), int((counts > 0).sum()), what, listed(pairs), advice)]


def _nearly_same(names: Sequence[str], counts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    near: dict[str, list[int]] = {}
    for label in np.flatnonzero(counts).tolist():
        for part in _parts(_bare(names[label])):
            near.setdefault(part, []).append(label)
    pairs = {pair for labels in near.values() for pair in combinations(labels, 2)}
    for pair in sorted(pairs):
        rare, usual = sorted(pair, key=lambda one: counts[one])
        one, other = _bare(names[rare]), _bare(names[usual])
        if one != other and _is_slip(names[rare], names[usual], rarer=counts[rare] <= RARER * counts[usual]):
            yield rare, usual


def _parts(name: str) -> set[str]:
    """A name, and what is left of it without one of its letters: names that are a letter apart share one of these."""
    return {name, *(name[:place] + name[place + 1 :] for place in range(len(name)))}


def _is_slip(one: str, other: str, *, rarer: bool) -> bool:
    """Two letters in the wrong order; a letter more, less or another only where the name is `rarer` and long enough."""
    words = [re.findall(r"[^\W_]+", name.casefold()) for name in (one, other)]
    if len(words[0]) != len(words[1]):
        return False
    different = [pair for pair in zip(*words, strict=True) if pair[0] != pair[1]]
    if len(different) != 1 or any(re.sub(r"\D", "", a) != re.sub(r"\D", "", b) for a, b in different):
        return False
    first, second = _differing(*different[0])
    if len(first) == 2 and first == second[::-1]:
        return True
    return rarer and max(len(first), len(second)) == 1 and min(map(len, different[0])) >= SHORTEST


def _differing(one: str, other: str) -> tuple[str, str]:
    """Two words without what both begin and end with."""
    start = _shared(one, other)
    one, other = one[start:], other[start:]
    end = _shared(one[::-1], other[::-1])
    return one[: len(one) - end], other[: len(other) - end]


def _shared(one: str, other: str) -> int:
    """Letters that two words begin with."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda letters: letters[0] == letters[1], pairs))


def _bare(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def counts_of(videos: Sequence[AnnotatedVideo], names: Sequence[str]) -> NDArray[np.int64]:
    """(K,) actions of each class."""
    labels = np.concatenate([np.empty(0, np.int64), *(video.labels for video in videos)])
    counts: NDArray[np.int64] = np.bincount(labels, minlength=len(names))
    return counts
