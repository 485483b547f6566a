"""Labels that may be slips: nearly the same as another one, or what programs write where there is none."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import combinations

from actionformer.core.names import spelled
from actionformer.formats.labels import Remark

SHORTEST = 4
"""Letters of labels that a slip may turn into one another."""
FEW = 2
"""Times that a slip is made, at least."""
MOST = 1000
"""Labels that are compared."""
NOTHING = frozenset({"nan", "na", "n/a", "<na>", "null", "none", "undefined", "#n/a"})
"""What programs write where a cell holds nothing, in lower case."""


def near_repeats(counts: Mapping[str, int]) -> list[Remark]:
    """A remark for every two labels that differ by case, blanks or one slip.

    Args:
        counts: label -> how often it is there.
    """
    return [
        Remark(
            f"labels {rare!r} ({counts[rare]}) and {usual!r} ({counts[usual]}) differ by {difference}: "
            f"if they are one, give --rename {shlex.quote(f'{rare}={usual}')}",
            "",
        )
        for usual, rare, difference in _pairs(counts)
    ]


def nothings(counts: Mapping[str, int]) -> list[Remark]:
    """A remark for every label that programs write where there is none.

    Args:
        counts: label -> how often it is there.
    """
    return [
        Remark(
            f"label {label!r} ({count}) is what programs write where there is none: it became a class; if it is none, "
            "delete these rows",
            "",
        )
        for label, count in counts.items()
        if label.casefold() in NOTHING
    ]


def _pairs(counts: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    labels = sorted(counts, key=lambda label: -counts[label])[:MOST]
    for usual, rare in combinations(labels, 2):
        few = counts[rare] <= max(FEW, counts[usual] / 20)
        one, other = _bare(usual), _bare(rare)
        if one == other:
            yield usual, rare, "case or signs alone"
        elif few and min(len(one), len(other)) >= SHORTEST and _digits(one) == _digits(other) and one_slip(one, other):
            yield usual, rare, "one letter"


def _bare(label: str) -> str:
    return re.sub(r"[\s_-]+", "", spelled(label).casefold())


def _digits(label: str) -> str:
    return re.sub(r"\D+", " ", label)


def one_slip(one: str, other: str) -> bool:
    """Whether a text becomes another by one letter more, less or other, or two neighbours swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[same:], other[same:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:] and len(one) > 1
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]
