"""Readings as text: CSV with any delimiter, with or without names in the first line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.sensors.table import Table, numbered

PIECE = 1 << 14
"""Rows read at once."""
LOOKED_AT = 100
"""First lines that tell delimiter, names and kinds of columns."""
DELIMITERS = ("\t", ";", "|", ",")
"""Tried in this order, as a comma may also be in numbers."""
BLANKS = " "
"""What stands for a delimiter of any number of blanks."""
EMPTY = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "?"))
"""What cells without a reading hold, in lower case."""


@dataclass(frozen=True)
class Dialect:
    """How a file writes rows."""

    delimiter: str
    decimal_comma: bool = False

    def rows(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """The cells of the lines; lines that are empty, and those that begin with #, are left out."""
        lines = (line for line in lines if not line.startswith("#"))
        if self.delimiter == BLANKS:
            return (cells for line in lines if (cells := line.split()))
        return (cells for cells in csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True) if cells)

    def numbers(self, cells: Sequence[str]) -> NDArray[np.float64]:
        """The numbers of cells, of dates seconds since 1970 (UTC where they do not say); NaN of empty cells.

        Raises:
            ValueError: a cell that holds something else.
        """
        if self.decimal_comma:
            cells = [cell.replace(",", ".") for cell in cells]
        try:
            return np.array(list(map(float, cells)))
        except ValueError:
            return np.array(list(map(number, cells)))


def number(cell: str) -> float:
    """A number, a date as seconds since 1970, or NaN of an empty cell.

    Raises:
        ValueError: the cell holds something else.
    """
    cell = cell.strip()
    if cell.lower() in EMPTY:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        return date(cell)


def date(cell: str) -> float:
    """Seconds since 1970 of a date with time in ISO 8601, UTC where it does not say.

    Raises:
        ValueError: the cell holds something else.
    """
    moment = datetime.fromisoformat(cell.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class TextTable:
    """A text file; see `Table`.

    Raises:
        InputError: no rows of numbers.
    """

    rows = None

    def __init__(self, path: Path, lines: Iterator[str]) -> None:
        self.path = path
        first = list(islice(lines, LOOKED_AT))
        self._lines, self.dialect = chain(first, lines), dialect_of(first)
        seen = list(self.dialect.rows(iter(first)))
        self.named = bool(seen) and all(_kind(cell) in ("text", "empty") for cell in seen[0])
        if not (body := seen[self.named :]):
            raise InputError(f"{path}: no rows of readings, expected a row of numbers per moment")
        width = len(seen[0])
        self.names = tuple(cell.strip() for cell in seen[0]) if self.named else numbered(width)
        kinds = [{self._kind(row[column]) for row in body if column < len(row)} for column in range(width)]
        self.numeric = tuple("number" in kind and "text" not in kind and "date" not in kind for kind in kinds)
        self.dates = tuple("date" in kind and "text" not in kind for kind in kinds)

    def _kind(self, cell: str) -> str:
        return _kind(cell.replace(",", ".") if self.dialect.decimal_comma else cell)

    def read(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Some columns, piece by piece.

        Raises:
            InputError: a row of another length, or a cell that holds no number; names the row.
        """
        rows = self.dialect.rows(self._lines)
        if self.named:
            next(rows)
        done = 0
        while piece := list(islice(rows, PIECE)):
            for number_, row in enumerate(piece, done + 1):
                if len(row) != len(self.names):
                    raise InputError(
                        f"{self.path}: row {number_:,} has {len(row)} cells, expected the {len(self.names)} of the "
                        "first line"
                    )
            cells = list(zip(*piece, strict=True))
            yield np.stack([self._column(column, cells[column], done) for column in columns], axis=1)
            done += len(piece)

    def _column(self, column: int, cells: Sequence[str], before: int) -> NDArray[np.float64]:
        try:
            return self.dialect.numbers(cells)
        except ValueError:
            row = next(row for row, cell in enumerate(cells) if self._kind(cell) == "text")
            raise InputError(
                f"{self.path}: row {before + row + 1:,}, column {self.names[column]}: {cells[row]!r:.60} is no number"
            ) from None


def dialect_of(lines: Sequence[str]) -> Dialect:
    """The delimiter that cuts every line into as many cells, more than one; else blanks.

    Commas are decimal ones where another delimiter cuts and numbers have them.
    """
    for delimiter in (*DELIMITERS, BLANKS):
        rows = list(Dialect(delimiter).rows(iter(lines)))
        if rows and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            commas = delimiter != "," and any(_kind(cell) == "text" and _kind(cell.replace(",", ".")) == "number"
                                              for row in rows for cell in row)  # fmt: skip
            return Dialect(delimiter, commas)
    return Dialect(",")


def _kind(cell: str) -> str:
    """What a cell holds: number, date, text, or empty."""
    if cell.strip().lower() in EMPTY:
        return "empty"
    for kind, read in (("number", float), ("date", date)):
        try:
            read(cell)
        except ValueError:
            continue
        return kind
    return "text"


@contextmanager
def open_text(path: Path) -> Iterator[Table]:
    """A text file, of which only what is read comes into memory.

    Raises:
        InputError: no such file, or no rows of numbers.
    """
    try:
        with path.open(encoding=_encoding(path), errors="replace", newline="") as lines:
            yield TextTable(path, lines)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _encoding(path: Path) -> str:
    """UTF-16 where the file says so, else UTF-8, else what old programs write."""
    with path.open("rb") as file:
        first = file.read(1 << 16)
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        first[: first.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"
