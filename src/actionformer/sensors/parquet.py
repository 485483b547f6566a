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
from actionformer.sensors.table import PIECE, Table, distinct


class ParquetTable:
    """A Parquet file; see `Table`."""

    named = True
    units = ()
    rate = None

    def __init__(self, path: Path, file: Any) -> None:
        from pyarrow import types

        self.path, self._file = path, file
        schema = file.schema_arrow
        self._names = schema.names
        self.names = distinct(schema.names)
        self.numeric = tuple(types.is_integer(kind) or types.is_floating(kind) for kind in schema.types)
        self.dates = tuple(types.is_timestamp(kind) for kind in schema.types)
        self.rows = int(file.metadata.num_rows)

    def read(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Some columns, piece by piece."""
        for piece in self._file.iter_batches(batch_size=PIECE, columns=self._called(columns)):
            yield np.stack([_numbers(self._column(piece, column)) for column in columns], axis=1)

    def last(self, column: int) -> float | None:
        """What a column holds in the last row."""
        group = self._file.read_row_group(self._file.num_row_groups - 1, columns=self._called([column]))
        return float(_numbers(self._column(group, column).slice(len(group) - 1))[0])

    def _called(self, columns: Sequence[int]) -> list[str]:
        return list(dict.fromkeys(self._names[column] for column in columns))

    def _column(self, piece: Any, column: int) -> Any:
        """A column of a piece, which has all columns of that name."""
        name = self._names[column]
        return piece.column(piece.schema.get_all_field_indices(name)[self._names[:column].count(name)])


def _numbers(column: Any) -> NDArray[np.float64]:
    return as_numbers(np.asarray(column.to_numpy(zero_copy_only=False) if hasattr(column, "buffers") else column))


@contextmanager
def open_parquet(path: Path) -> Iterator[Table]:
    """A Parquet file, of which only what is read comes into memory.

    Raises:
        InputError: it has no rows, or pyarrow is not installed.
    """
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise missing_extra("pyarrow", "parquet", f"{path}: reading Parquet") from error
    with ParquetFile(path) as file:
        if not file.metadata.num_rows:
            raise InputError(f"{path}: no rows of readings")
        yield ParquetTable(path, file)
