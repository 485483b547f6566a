"""Which files hold readings, and how each is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from actionformer.core.errors import InputError, reason_of
from actionformer.core.files import check_fetched
from actionformer.sensors.arrays import open_npy, open_npz
from actionformer.sensors.parquet import open_parquet
from actionformer.sensors.table import Table
from actionformer.sensors.text import open_text

OPENERS: dict[str, Callable[[Path], AbstractContextManager[Table]]] = {
    ".csv": open_text,
    ".tsv": open_text,
    ".parquet": open_parquet,
    ".npy": open_npy,
    ".npz": open_npz,
}
"""Ending -> how to open it; any other file is taken for text."""


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """A file of readings.

    Raises:
        InputError: it cannot be read, or holds none.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file of readings")
    try:
        check_fetched(path)
        with OPENERS.get(path.suffix.lower(), open_text)(path) as table:
            yield table
    except InputError:
        raise
    except Exception as error:  # every library has its own ways of refusing a broken file
        raise InputError(
            f"{path}: cannot be read as a table of numbers ({reason_of(error)}): is it damaged?"
        ) from error
