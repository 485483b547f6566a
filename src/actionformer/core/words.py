"""Counts in sentences that people read."""

from __future__ import annotations

import re

VERBS = {
    "are": "is",
    "have": "has",
    "lie": "lies",
    "reach": "reaches",
    "look": "looks",
    "cover": "covers",
    "last": "lasts",
    "say": "says",
}
"""Of several -> of one."""
_VERB = re.compile(rf"\b({'|'.join(VERBS)})\b")


def plural(number: int, one: str, many: str | None = None) -> str:
    """So many of something: `1 video`, `2,000 videos`, `2 classes`; irregular ones with `many`: `2 entries`."""
    return f"{number:,} {one if number == 1 else many or one + ('es' if one.endswith('s') else 's')}"


def part(number: int, total: int, sentence: str) -> str:
    """So many of all do something: `2 of 3 videos have no features`, `1 of 3 videos has no features`.

    Args:
        number: how many do.
        total: of how many.
        sentence: of several, from the noun on; where it is about one, the first of `VERBS` in it becomes singular, and
            what is `their` becomes `its`.
    """
    told = sentence
    if number == 1:
        told = re.sub(r"\btheir\b", "its", _VERB.sub(lambda verb: VERBS[verb[0]], sentence, count=1))
    return f"{number:,} of {total:,} {told}"
