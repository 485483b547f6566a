"""Readings as text: CSV with any delimiter, with or without names in the first line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice, takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.sensors.table import PIECE, Table, distinct, numbered

LOOKED_AT = 100
"""First lines that tell delimiter, names and kinds of columns."""
DELIMITERS = ("\t", ";", "|", ",")
"""Tried in this order, as a comma may also be in numbers."""
END = 1 << 16
"""Bytes at the end of a file in which its last row is looked for."""
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
            return np.array(list(map(number if dates else reading, cells)))


def number(cell: str) -> float:
    """A number, a date as seconds since 1970, or NaN of an empty cell.

    Raises:
        ValueError: the cell holds something else.
    """
    try:
        return reading(cell)
    except ValueError:
        return date(cell)


def reading(cell: str) -> float:
    """A number, or NaN of an empty cell.

    Raises:
        ValueError: the cell holds something else.
    """
    return float("nan") if cell.strip().lower() in EMPTY else float(cell)


def date(cell: str) -> float:
    """Seconds since 1970 of a date with time in ISO 8601, UTC where it does not say; of a time alone since midnight.

    Raises:
        ValueError: the cell holds something else.
    """
    text = cell.strip()
    if ":" in text[:3]:
        text = f"1970-01-01T{text}"
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class TextTable:
    """A text file; see `Table`.

    Raises:
        InputError: no rows of numbers.
    """

    rows = None

    def __init__(self, path: Path, lines: Iterator[str], encoding: str) -> None:
        self.path, self._encoding = path, encoding
        first = list(islice(lines, LOOKED_AT))
        self._lines, self.dialect = chain(first, lines), dialect_of(first)
        seen = list(self.dialect.rows(iter(first)))
        heads = list(takewhile(self._is_head, seen))
        self._heads = len(heads)
        if not (body := seen[self._heads :]):
            raise InputError(f"{path}: no rows of readings, expected a row of numbers per moment")
        width = len(body[0])
        names = next((row for row in heads if len(row) == width), None)
        self.named = names is not None
        self.names = numbered(width) if names is None else distinct([cell.strip() for cell in names])
        kinds = [Counter(self._kind(row[column]) for row in body if column < len(row)) for column in range(width)]
        self.numeric = tuple(_most(kind, "number") for kind in kinds)
        self.dates = tuple(_most(kind, "date") for kind in kinds)

    def _is_head(self, row: Sequence[str]) -> bool:
        """Whether a row stands above the readings: of names, of units, or about the file. It has text, no number."""
        kinds = set(map(self._kind, row))
        return "text" in kinds and not kinds & {"number", "date"}

    def _kind(self, cell: str) -> str:
        return _kind(cell.replace(",", ".") if self.dialect.decimal_comma else cell)

    def read(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Some columns, piece by piece. A last row that is cut, as a logger that was stopped leaves it, is left out.

        Raises:
            InputError: a row of another length, or a cell that holds no number; names the row.
        """
        rows = self.dialect.rows(self._lines)
        next(islice(rows, self._heads, self._heads), None)
        done, width = 0, len(self.names)
        while piece := list(islice(rows, PIECE)):
            odd = next((place for place, row in enumerate(piece) if len(row) != width), None)
            if odd is not None:
                cut = odd == len(piece) - 1 and len(piece[odd]) < width and next(rows, None) is None
                if not cut:
                    raise InputError(
                        f"{self.path}: row {done + odd + 1:,} has {len(piece[odd])} cells, the first has {width}"
                    )
                piece.pop()
            if piece:
                cells = list(zip(*piece, strict=True))
                yield np.stack([self._column(column, cells[column], done) for column in columns], axis=1)
            done += len(piece)

    def last(self, column: int) -> float | None:
        """What a column holds in the last row."""
        with self.path.open("rb") as file:
            file.seek(max(file.seek(0, 2) - END, 0))
            lines = file.read().decode(self._encoding, "replace").splitlines()
        rows = [row for row in self.dialect.rows(iter(lines[-2:])) if len(row) == len(self.names)]
        try:
            return float(self.dialect.numbers([rows[-1][column]])[0])
        except (IndexError, ValueError):  # reading tells
            return None

    def _column(self, column: int, cells: Sequence[str], before: int) -> NDArray[np.float64]:
        dates = not self.numeric[column]
        try:
            return self.dialect.numbers(cells, dates=dates)
        except ValueError:
            wrong = ("text",) if dates else ("text", "date")
            row = next(row for row, cell in enumerate(cells) if self._kind(cell) in wrong)
            raise InputError(
                f"{self.path}: row {before + row + 1:,}, column {self.names[column]}: {cells[row]!r:.60} is no number: "
                "correct it, or leave the column out (--columns names the others)"
            ) from None


def dialect_of(lines: Sequence[str]) -> Dialect:
    """The delimiter that cuts most lines into as many cells, more than one.

    Commas are decimal ones where another delimiter cuts and numbers have them.
    """
    rows = {delimiter: list(Dialect(delimiter).rows(iter(lines))) for delimiter in (*DELIMITERS, BLANKS)}
    found = max(rows, key=lambda delimiter: _alike(rows[delimiter]))
    if not _alike(rows[found]):
        return Dialect(",")
    return Dialect(found, found != "," and _has_decimal_comma(rows[found]))


def _alike(rows: Sequence[Sequence[str]]) -> int:
    """How many rows have as many cells as most, if these are several."""
    (width, count), *_ = Counter(map(len, rows)).most_common(1) or [(0, 0)]
    return count if width > 1 else 0


def _has_decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    return any(_kind(cell) == "text" and _kind(cell.replace(",", ".")) == "number" for row in rows for cell in row)


def _most(kinds: Counter[str], kind: str) -> bool:
    """Whether most cells that hold something hold one kind: the others are mistakes, which reading names."""
    return 2 * kinds[kind] > kinds.total() - kinds["empty"]


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
        InputError: no rows of numbers.
    """
    encoding = _encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as lines:
        yield TextTable(path, lines, encoding)


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
