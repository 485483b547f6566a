"""Cells of text as numbers and dates: how a file writes them, and what a column of them holds."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from actionformer.formats.dates import date, has_month_first

LOOKED_AT = 200
"""First lines that tell delimiter, names and kinds of columns; some loggers write a hundred above the readings."""
DELIMITERS = ("\t", ";", "|", ",")
"""Tried in this order, as a comma may also be in numbers."""
BLANKS = " "
"""What stands for a delimiter of any number of blanks."""
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""A number that may be 1234 in a file whose cells are parted by commas."""
EMPTY = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "?"))
"""What cells without a reading hold, in lower case."""


@dataclass(frozen=True)
class Dialect:
    """How a file writes rows."""

    delimiter: str
    decimal_comma: bool = False
    month_first: bool = False
    """Whether 1/2/2026 is in January."""

    def rows(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """The cells of the lines; lines that are empty, and those that begin with #, are left out.

        The time that the Arduino's monitor writes before a line (`12:00:01.123 -> 1,2`) is a cell of its own.
        """
        lines = (
            f"{line[:12]}{self.delimiter}{line[16:]}" if line[12:16] == " -> " else line
            for line in lines
            if not line.startswith("#")
        )
        if self.delimiter == BLANKS:
            return (cells for line in lines if (cells := _parted_by_blanks(line)))
        return (cells for cells in csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True) if cells)

    def numbers(self, cells: Sequence[str], *, dates: bool = True) -> NDArray[np.float64]:
        """The numbers of cells, of dates seconds since 1970 (UTC where they do not say); NaN of empty cells.

        Raises:
            ValueError: a cell that holds something else, which without `dates` a date is.
        """
        if self.decimal_comma:
            cells = [cell.replace(",", ".") for cell in cells]
        try:
            return np.array(list(map(float, cells)))
        except ValueError:
            return np.array(list(map(partial(number, month_first=self.month_first) if dates else reading, cells)))


def _parted_by_blanks(line: str) -> list[str]:
    cells = line.split()
    return next(csv.reader([" ".join(cells)], delimiter=BLANKS), []) if '"' in line else cells


def number(cell: str, *, month_first: bool = False) -> float:
    """A number, a date as seconds since 1970, or NaN of an empty cell.

    Raises:
        ValueError: the cell holds something else.
    """
    try:
        return reading(cell)
    except ValueError:
        return date(cell, month_first=month_first)


def reading(cell: str) -> float:
    """A number, or NaN of an empty cell.

    Raises:
        ValueError: the cell holds something else.
    """
    return float("nan") if cell.strip().lower() in EMPTY else float(cell)


@dataclass(frozen=True)
class TextColumn:
    """How a column of text in a file of another kind is read."""

    numeric: bool
    dates: bool
    month_first: bool

    @classmethod
    def of(cls, cells: Sequence[str]) -> TextColumn:
        """What its first and last cells tell."""
        kinds = Counter(map(kind_of, cells))
        return cls(mostly(kinds, "number"), mostly(kinds, "date"), has_month_first(cells))

    def numbers(self, cells: Sequence[str]) -> NDArray[np.float64]:
        """The numbers of cells, of dates seconds since 1970; NaN of empty ones.

        Raises:
            ValueError: a cell that holds something else.
        """
        return Dialect(",", month_first=self.month_first).numbers(cells, dates=self.dates)


def dialect_of(lines: Sequence[str]) -> Dialect:
    """The delimiter that cuts most lines into as many cells, more than one, of which most hold numbers.

    Commas are decimal ones where numbers have them, or could: where another delimiter cuts and none has a point.
    """
    rows = {delimiter: list(Dialect(delimiter).rows(iter(lines))) for delimiter in (*DELIMITERS, BLANKS)}
    if any(_is_named(rows[delimiter]) for delimiter in DELIMITERS):
        del rows[BLANKS]
    found = max(rows, key=lambda delimiter: _cut(rows[delimiter]))
    return Dialect(found, _has_decimal_comma(rows[found], found)) if _cut(rows[found]) else Dialect(",")


def _is_named(rows: Sequence[Sequence[str]]) -> bool:
    """Whether names begin the rows, as many as most have cells."""
    if not rows:
        return False
    width, _ = Counter(map(len, rows)).most_common(1)[0]
    return len(rows[0]) == width > 1 and all(kind_of(cell) == "text" for cell in rows[0])


def _cut(rows: Sequence[Sequence[str]]) -> float:
    """How many rows have as many cells as most, if these are several; each counts as much as its cells are no text."""
    width, _ = next(iter(Counter(map(len, rows)).most_common(1)), (0, 0))
    alike = [row for row in rows if len(row) == width > 1]
    return sum(sum(kind_of(cell.replace(",", ".")) != "text" for cell in row) / width for row in alike)


def _has_decimal_comma(rows: Sequence[Sequence[str]], delimiter: str) -> bool:
    cells = [cell.strip() for row in rows for cell in row]
    commas = [
        cell
        for cell in cells
        if "," in cell and kind_of(cell) == "text" and kind_of(cell.replace(",", ".")) == "number"
    ]
    if delimiter == ",":  # in quotes
        return any(not _THOUSANDS.fullmatch(cell) for cell in commas)
    return bool(commas) or not any("." in cell and kind_of(cell) == "number" for cell in cells)


def mostly(kinds: Counter[str], kind: str) -> bool:
    """Whether most cells that hold something hold one kind: the others are mistakes, which reading names."""
    return 2 * kinds[kind] > kinds.total() - kinds["empty"]


def kind_of(cell: str) -> str:
    """What a cell holds: number, date, text, or empty."""
    if cell.strip().lower() in EMPTY:
        return "empty"
    for kind, read in (("number", float), ("date", date), ("date", partial(date, month_first=True))):
        try:
            read(cell)
        except ValueError:
            continue
        return kind
    return "text"
