"""What every file of readings is: named columns of numbers, read in pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

PIECE = 1 << 14
"""Rows that are read at once."""


class Table(Protocol):
    """A file of readings that is open."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns; numbers from 1 on where the file has none."""

    @property
    def named(self) -> bool:
        """Whether the file has names."""

    @property
    def note(self) -> str | None:
        """What to tell of its names, where they cannot be used."""

    @property
    def units(self) -> tuple[str, ...]:
        """What stands below the names, such as units; nothing where the file has but names."""

    @property
    def rate(self) -> float | None:
        """Rows a second, where the file says it besides its columns."""

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether each column holds numbers, as far as its first rows tell."""

    @property
    def dates(self) -> tuple[bool, ...]:
        """Whether each column holds dates; they are read as seconds since 1970, UTC."""

    @property
    def rows(self) -> int | None:
        """How many there are, where that is known before they are read."""

    def read(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Some columns, (n, C) each time, from the first row on, once; a cell that is empty is NaN.

        Raises:
            InputError: a row that cannot be read.
        """

    def last(self, column: int) -> float | None:
        """What a column holds in the last row, where that can be had without reading all of it."""


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names of which those that several columns share have a number each: `acc_1`, `acc_2`; an empty one stays so."""
    counts = Counter(names)
    numbers = {name: count(1) for name in counts}
    return tuple(f"{name}_{next(numbers[name])}" if name and counts[name] > 1 else name for name in names)


def numbered(columns: int) -> tuple[str, ...]:
    """Names for columns that have none."""
    return tuple(map(str, range(1, columns + 1)))
