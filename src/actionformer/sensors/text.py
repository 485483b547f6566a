"""Readings as text: CSV with any delimiter, with or without names in the first line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice, pairwise, takewhile, zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.formats.clock import NOWADAYS
from actionformer.formats.dates import has_month_first
from actionformer.sensors.cells import EMPTY, LOOKED_AT, dialect_of, kind_of, mostly
from actionformer.sensors.columns import check_one_sensor, is_time, is_unit
from actionformer.sensors.table import PIECE, Table, distinct, numbered

END = 1 << 16
"""Bytes at the end of a file in which its last row is looked for."""
MOST_A_SECOND = 1e4
"""Rows of the fastest sensors of movement."""


class TextTable:
    """A text file; see `Table`.

    Raises:
        InputError: no rows of numbers, or rows of several sensors.
    """

    rows = None

    def __init__(self, path: Path, lines: Iterator[str], encoding: str) -> None:
        self.path, self._encoding = path, encoding
        first = list(islice(lines, LOOKED_AT))
        self._lines, self.dialect = chain(first, lines), dialect_of(first)
        seen = list(self.dialect.rows(iter(first)))
        heads, width = self._above(seen)
        self.rate = None if heads else _rate_above(list(map(self._values, seen[:3])))
        self._heads = 2 if self.rate else len(heads)
        if not (body := seen[self._heads :]):
            raise InputError(f"{path}: no rows of readings, expected a row of numbers per moment")
        rows = [row for head in heads if (row := _as_wide(head, width, body))]
        names = max(rows, key=lambda row: (sum(map(bool, row)), any(map(_names_time, row))), default=None)
        self.named = names is not None
        self.names = numbered(width) if names is None else distinct(_filled(rows, names))
        self.units = tuple(rows[-1]) if rows and rows[-1] is not names else ()
        self.note: str | None = None
        if names is None and self._heads:
            self._check_commas(seen[self._heads - 1], width, body)
            self.note = self._odd_names(seen[self._heads - 1], width)
        columns = [[row[column] for row in body if column < len(row)] for column in range(width)]
        kinds = [Counter(map(self._kind, cells)) for cells in columns]
        self.numeric = tuple(mostly(kind, "number") for kind in kinds)
        dates = [mostly(kind, "date") for kind in kinds]
        if any(dates):
            told = [row[dates.index(True)] for row in [*body, self._last_row()] if len(row) == width]
            self.dialect = replace(self.dialect, month_first=has_month_first(told))
        self._day, self._time_of_day = _day_and_time(body, dates)
        self.dates = tuple(date and column != self._day for column, date in enumerate(dates))
        for column, cells in enumerate(columns):
            if not dates[column]:
                check_one_sensor(self, column, cells)

    def _above(self, seen: Sequence[list[str]]) -> tuple[list[list[str]], int]:
        """The rows above the readings, those with names last, and how many cells a row of readings has.

        Readings begin with the first row of the usual kinds. What stands above is no reading where names or units, as
        many as there are columns, end it, or where each of its rows has some text and another number of cells; else
        only rows of text are above.
        """
        width = Counter(map(len, seen)).most_common(1)[0][0] if seen else 0
        heads = list(takewhile(self._is_head, seen))
        usual = [row for row in seen[len(seen) // 2 :] if len(row) == width]
        numeric = [mostly(Counter(map(self._kind, column)), "number") for column in zip(*usual, strict=True)]
        below = [*seen[1:], []]
        first = next(
            (
                place
                for place, row in enumerate(seen)
                if self._is_reading(row, numeric) and not self._names_numbers(below[place], row)
            ),
            len(seen),
        )
        ends = [place for place, row in enumerate(seen[:first]) if self._is_head(row) and _as_wide(row, width, usual)]
        if not ends and all(len(row) != width and "text" in map(self._kind, row) for row in seen[:first]):
            return [[]] * first, width
        if not ends or ends[-1] < len(heads):
            return heads, len(seen[len(heads)]) if len(heads) < len(seen) else width
        begun = ends[-1]
        while begun - 1 in ends:
            begun -= 1
        return [[]] * begun + list(seen[begun : ends[-1] + 1]), width

    def _is_reading(self, row: Sequence[str], numeric: Sequence[bool]) -> bool:
        """Whether the columns of numbers hold some in a row, and nothing else."""
        kinds = [self._kind(cell) for cell, number in zip(row, numeric, strict=False) if number]
        return len(row) == len(numeric) and "number" in kinds and not {"text", "date"} & set(kinds)

    def _names_numbers(self, names: Sequence[str], row: Sequence[str]) -> bool:
        """Whether names stand below all cells of a row that hold something, which are numbers of markers then."""
        pairs = zip_longest(names, row, fillvalue="")
        return self._is_head(names) and all(name.strip() or not cell.strip() for name, cell in pairs)

    def _check_commas(self, head: Sequence[str], width: int, body: Sequence[Sequence[str]]) -> None:
        """Checks that commas between cells are not in numbers as well.

        Raises:
            InputError: rows have twice as many cells as names, and no point.
        """
        points = any("." in cell for row in body for cell in row)
        if self.dialect.delimiter == "," and self._is_head(head) and 1 < width == 2 * len(head) and not points:
            raise InputError(
                f"{self.path}: {len(head)} names above rows of {width} cells: commas seem to part cells, and to be "
                "decimal ones too: save it with semicolons between the cells, or with decimal points"
            )

    def _odd_names(self, head: Sequence[str], width: int) -> str | None:
        """What to tell of a row that seems to name the columns, and has more or fewer cells than they are."""
        if self._is_head(head) and len(head) >= max(width - 1, 2):
            return f"has {len(head)} names above rows of {width} cells, so that no column has its name"
        return None

    def _is_head(self, row: Sequence[str]) -> bool:
        """Whether a row stands above the readings: of names, of units, or about the file. It has text, no number."""
        kinds = set(map(self._kind, row))
        return "text" in kinds and not kinds & {"number", "date"}

    def _kind(self, cell: str) -> str:
        return kind_of(cell.replace(",", ".") if self.dialect.decimal_comma else cell)

    def _values(self, row: Sequence[str]) -> list[float]:
        """The numbers of a row; none where it holds something else."""
        try:
            return list(self.dialect.numbers(row, dates=False))
        except ValueError:
            return []

    def _is_wrong(self, cell: str, *, dates: bool) -> bool:
        try:
            self.dialect.numbers([cell], dates=dates)
        except ValueError:
            return True
        return False

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
                        f"{self.path}: row {done + odd + 1:,} has {len(piece[odd])} cells, the first has {width}: "
                        "if it is no reading, delete it, and others like it"
                    )
                piece.pop()
            if piece:
                cells = list(zip(*piece, strict=True))
                yield np.stack([self._column(column, cells, done) for column in columns], axis=1)
            done += len(piece)

    def last(self, column: int) -> float | None:
        """What a column holds in the last row."""
        try:
            return float(self._numbers(column, [[cell] for cell in self._last_row()])[0])
        except (IndexError, ValueError):  # reading tells
            return None

    def _last_row(self) -> list[str]:
        """The cells of the last row; none where it is not whole."""
        with self.path.open("rb") as file:
            file.seek(max(file.seek(0, 2) - END, 0))
            lines = file.read().decode(self._encoding, "replace").splitlines()
        rows = [row for row in self.dialect.rows(iter(lines[-2:])) if len(row) == len(self.names)]
        return rows[-1] if rows else []

    def _column(self, column: int, cells: Sequence[Sequence[str]], before: int) -> NDArray[np.float64]:
        """A column of rows that are given column by column."""
        try:
            return self._numbers(column, cells)
        except ValueError:
            places = [column] if self._day is None else [column, self._day]
            at, row = next(
                (place, row)
                for place in places
                for row, cell in enumerate(cells[place])
                if self._is_wrong(cell, dates=not self.numeric[place])
            )
            kind = "date as those above" if self.dates[at] or at == self._day else "number"
            raise InputError(
                f"{self.path}: row {before + row + 1:,}, column {self.names[at]}: {cells[at][row]!r:.60} is no {kind}: "
                "correct it, or leave the column out (--columns names the others)"
            ) from None

    def _numbers(self, column: int, cells: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """A column of numbers, or of dates; one of times of day counts from the dates beside it.

        Raises:
            ValueError: a cell that holds something else.
        """
        found = self.dialect.numbers(cells[column], dates=not self.numeric[column])
        if column != self._time_of_day or self._day is None:
            return found
        return found + self.dialect.numbers(cells[self._day])


def _rate_above(first: Sequence[Sequence[float]]) -> float | None:
    """Rows a second, where the first row has the seconds since 1970 at which they begin and the second has the rate.

    Empatica writes its files so, both numbers once a column. `first` are three rows.
    """
    if len(first) < 3 or not first[0] or len({len(row) for row in first}) > 1:
        return None
    (begin, *begins), (rate, *rates), readings = first
    alike = {begin} >= set(begins) and {rate} >= set(rates)
    is_one = alike and NOWADAYS[0] < begin < NOWADAYS[1] and 0 < rate <= MOST_A_SECOND and max(readings) < NOWADAYS[0]
    return rate if is_one else None


def _as_wide(row: Sequence[str], width: int, body: Sequence[Sequence[str]]) -> list[str] | None:
    """The cells of a row for so many columns; None if it has others. Nothing need stand above or in the last ones.

    Where R writes the numbers of rows it gives their column no name.
    """
    cells = [cell.strip() for cell in row]
    beyond = any(any(map(str.strip, other[len(cells) :])) for other in body)
    if beyond and len(cells) == width - 1 and len(body) > 1 and _count_on([other[0] for other in body]):
        return ["row", *cells]
    if any(cells[width:]) or beyond:
        return None
    return (cells + [""] * width)[:width] if cells else None


def _count_on(cells: Sequence[str]) -> bool:
    """Whether cells are whole numbers of which each is one more than the one before."""
    return all(cell.isdecimal() for cell in cells) and all(int(b) - int(a) == 1 for a, b in pairwise(cells))


def _filled(rows: Sequence[list[str]], names: list[str]) -> list[str]:
    """Names, where they are empty those of the rows above: `Frame#` and `Time` above `X1`, `Y1`, `Z1`."""
    for above in reversed(rows[: rows.index(names)]):
        names = [own or other for own, other in zip(names, above, strict=True)]
    return names


def _names_time(cell: str) -> bool:
    """Whether a cell above the readings is the name of a column of times: a unit stands below one."""
    return is_time(cell) and not is_unit(cell)


def _day_and_time(body: Sequence[Sequence[str]], dates: Sequence[bool]) -> tuple[int | None, int | None]:
    """The first column of dates without times, and the first of times of the day, where there are both."""
    held = {
        column: [row[column].strip() for row in body if column < len(row) and row[column].strip().lower() not in EMPTY]
        for column, is_date in enumerate(dates)
        if is_date
    }
    days = [column for column, cells in held.items() if not any(":" in cell for cell in cells)]
    times = [column for column, cells in held.items() if all(":" in cell[:4] for cell in cells)]
    return (days[0], times[0]) if days and times else (None, None)


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
