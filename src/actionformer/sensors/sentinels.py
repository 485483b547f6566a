"""Values that stand for no reading: -9999, 65535, 99.99 or 1e30, again and again and far outside all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import listed

Numbers = NDArray[np.float64]

OFTEN = 3
"""Rows that have such a value, at least."""
OUTSIDE = 2.0
"""How many times as large as any other reading it is, at least; and it lies further off than they lie apart."""
ABSURD = 1000.0
"""How many times as large any value is that is suspected. Smaller ones are those that programs take for it."""
NONE = frozenset((2.0**15 - 1, 2.0**15, 2.0**16 - 1, 2.0**31 - 1, 2.0**31, 2.0**32 - 1))
"""The last whole numbers of 16 and 32 bits. Numbers of at least three nines are such values too."""


class Sentinels:
    """Looks at readings as they pass: at the smallest and the largest of each channel, and at those next to them."""

    def __init__(self, channels: int) -> None:
        self._ends = np.full(2 * channels, -np.inf)  # the largest, and the smallest with the other sign
        self._next = self._ends
        self._counts = np.zeros(2 * channels, np.intp)

    def __call__(self, pieces: Iterable[tuple[Numbers, Numbers]]) -> Iterator[tuple[Numbers, Numbers]]:
        """Times (n,) and readings (n, C), as they are."""
        for times, readings in pieces:
            self._add(np.concatenate([readings, -readings], axis=1))
            yield times, readings

    def _add(self, values: Numbers) -> None:
        values = np.where(np.isfinite(values), values, -np.inf)
        tops = values.max(0, initial=-np.inf)
        ends = np.maximum(self._ends, tops)
        seconds = np.where(values < tops, values, -np.inf).max(0, initial=-np.inf)
        lower = np.where(self._ends == tops, -np.inf, np.minimum(self._ends, tops))
        counts = (values == tops).sum(0)
        self._counts = self._counts * (self._ends == ends) + counts * (tops == ends)
        self._ends, self._next = ends, np.maximum.reduce([self._next, seconds, lower])

    def warning(self, names: Sequence[str]) -> str | None:
        """Which channels seem to hold such a value, and what to do; None if none does."""
        found = []
        most, least = np.split(self._ends, 2)
        for column, name in enumerate(names):
            for end, sign, other in ((column, 1, -least[column]), (column + len(names), -1, most[column])):
                value, near, count = sign * self._ends[end], sign * self._next[end], int(self._counts[end])
                if count >= OFTEN and _stands_for_none(float(value), float(near), float(other)):
                    found.append(f"{name} ({value:g}, {count:,} times)")
        return (
            f"a value far outside all others comes again and again in {listed(found)}: if it stands for no reading, "
            "leave these cells empty, as it counts as one"
            if found
            else None
        )


def _stands_for_none(value: float, near: float, other: float) -> bool:
    """Whether an extreme value seems to be no reading, where the other readings lie from `near` it to `other`."""
    if not 0 < abs(near - other) < abs(value - near) < np.inf:
        return False
    size = abs(value) / max(abs(near), abs(other))
    nines = f"{abs(value):g}".replace(".", "")
    return size >= ABSURD or (size >= OUTSIDE and (abs(value) in NONE or (len(nines) > 2 and set(nines) == {"9"})))
