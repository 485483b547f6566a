"""HDF5 files, opened in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError, missing_extra

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""What the head of a file begins with: at its start, or at 512 bytes, 1,024, 2,048 and so on."""


@contextmanager
def opened_hdf5(path: Path) -> Iterator[Any]:
    """A file, open for reading.

    Raises:
        InputError: h5py is not installed, or the file is one of several.
    """
    try:
        import h5py
    except ImportError as error:
        raise missing_extra("h5py", "hdf5", f"{path}: reading HDF5") from error
    if _names_a_driver(path):
        raise InputError(f"{path}: is one of several files that HDF5 keeps together: store the arrays in one")
    with h5py.File(path, "r") as file:
        yield file


def _names_a_driver(path: Path) -> bool:
    """Whether the head names a driver, which puts several files together: HDF5 makes room for all it says of itself."""
    with path.open("rb") as file:
        place, size = 0, path.stat().st_size
        while place < size:
            file.seek(place)
            head = file.read(128)
            if head.startswith(SIGNATURE):
                version, width = head[8], head[13]
                first = 28 if version == 1 else 24  # of four addresses, the last of which is the driver's
                return version < 2 and head[first + 3 * width : first + 4 * width] != b"\xff" * width
            place = 2 * place or 512
    return False
