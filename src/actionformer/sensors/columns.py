"""Which columns of a table are looked at."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actionformer.core.errors import InputError, listed
from actionformer.core.names import known_name
from actionformer.sensors.table import Table


@dataclass(frozen=True)
class Columns:
    """The columns that are wanted, as a backbone's name says them: `acc_x,acc_y`."""

    channels: tuple[str, ...] = ()
    """Names; none where all columns of numbers are wanted."""

    @classmethod
    def parsed(cls, text: str) -> Columns:
        """The columns of a text such as `acc_x,acc_y`; a name with a comma stands in double quotes."""
        return cls(tuple(name.strip() for name in next(csv.reader([text]), [])))

    def __str__(self) -> str:
        """What `parsed` takes."""
        return ",".join(f'"{name}"' if "," in name else name for name in self.channels)


def chosen(table: Table, wanted: Columns, path: Path) -> Sequence[int]:
    """The columns of a table that are looked at, as numbers from 0 on.

    Raises:
        InputError: one is missing, or holds no numbers, or there is none.
    """
    if wanted.channels:
        names = [known_name(name, table.names, f"{path}: no column") for name in wanted.channels]
        return [table.names.index(name) for name in names]
    found = [column for column, numeric in enumerate(table.numeric) if numeric and table.names[column]]
    if not found:
        raise InputError(f"{path}: no column of numbers among {listed(table.names)}")
    return found
