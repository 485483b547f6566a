"""Readings in Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, missing_extra
from actionformer.sensors.arrays import as_numbers
from actionformer.sensors.cells import LOOKED_AT, TextColumn
from actionformer.sensors.columns import check_one_sensor
from actionformer.sensors.table import PIECE, Table, distinct

PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


class ParquetTable:
    """A Parquet file; see `Table`. Durations are read as seconds, text as in a text file."""

    named = True
    rate = None
    note = None

    def __init__(self, path: Path, file: Any) -> None:
        from pyarrow import types

        self.path, self._file = path, file
        schema = file.schema_arrow
        self._names = schema.names
        self.names = distinct(schema.names)
        self.rows = int(file.metadata.num_rows)
        held = [kind.value_type if types.is_dictionary(kind) else kind for kind in schema.types]
        first = {
            column: self._first(column)
            for column, kind in enumerate(held)
            if types.is_string(kind) or types.is_large_string(kind)
        }
        self._texts = {column: self._text(column, cells) for column, cells in first.items()}
        self.units = tuple("s" if types.is_duration(kind) else "" for kind in held)
        self.numeric = tuple(
            self._texts[column].numeric
            if column in self._texts
            else types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_duration(kind)
            for column, kind in enumerate(held)
        )
        self.dates = tuple(
            self._texts[column].dates if column in self._texts else types.is_timestamp(kind) or types.is_time(kind)
            for column, kind in enumerate(held)
        )
        for column, cells in first.items():
            if not self.dates[column]:
                check_one_sensor(self, column, cells)

    def read(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Some columns, piece by piece.

        Raises:
            InputError: text that is no number; names the column.
        """
        for piece in self._file.iter_batches(batch_size=PIECE, columns=self._called(columns)):
            yield np.stack([self._numbers(self._column(piece, column), column) for column in columns], axis=1)

    def last(self, column: int) -> float | None:
        """What a column holds in the last row."""
        return float(self._numbers(self._last(column), column)[0])

    def _last(self, column: int) -> Any:
        group = self._file.read_row_group(self._file.num_row_groups - 1, columns=self._called([column]))
        return self._column(group, column).slice(len(group) - 1).combine_chunks()

    def _first(self, column: int) -> list[str]:
        first = next(self._file.iter_batches(batch_size=LOOKED_AT, columns=self._called([column])))
        return _cells(self._column(first, column))

    def _text(self, column: int, cells: Sequence[str]) -> TextColumn:
        found = TextColumn.of(cells)
        return TextColumn.of([*cells, *_cells(self._last(column))]) if found.dates else found

    def _numbers(self, values: Any, column: int) -> NDArray[np.float64]:
        if column not in self._texts:
            return _numbers(values)
        try:
            return self._texts[column].numbers(_cells(values))
        except ValueError as error:
            raise InputError(f"{self.path}: column {self.names[column]}: {error}: correct it") from None

    def _called(self, columns: Sequence[int]) -> list[str]:
        return list(dict.fromkeys(self._names[column] for column in columns))

    def _column(self, piece: Any, column: int) -> Any:
        """A column of a piece, which has all columns of that name."""
        name = self._names[column]
        return piece.column(piece.schema.get_all_field_indices(name)[self._names[:column].count(name)])


def _cells(values: Any) -> list[str]:
    return ["" if value is None else value for value in values.to_pylist()]


def _numbers(values: Any) -> NDArray[np.float64]:
    """Numbers, durations and times of the day in seconds, moments in seconds since 1970."""
    from pyarrow import float64, int32, int64, types

    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if types.is_duration(kind) or types.is_time(kind):
        counts = values.cast(int32() if types.is_time32(kind) else int64())
        return as_numbers(counts.to_numpy(zero_copy_only=False)) / PER_SECOND[kind.unit]
    if types.is_decimal(kind):
        values = values.cast(float64())
    return as_numbers(values.to_numpy(zero_copy_only=False))


@contextmanager
def open_parquet(path: Path) -> Iterator[Table]:
    """A Parquet file, of which only what is read comes into memory.

    Raises:
        InputError: it has no rows, or those of several sensors, or pyarrow is not installed.
    """
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise missing_extra("pyarrow", "parquet", f"{path}: reading Parquet") from error
    with ParquetFile(path) as file:
        if not file.metadata.num_rows:
            raise InputError(f"{path}: no rows of readings")
        yield ParquetTable(path, file)
