"""Files of object stores on the machine that reads them: one at a time, removed after."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from actionformer.cluster.manifest import file_system, is_address
from actionformer.core.errors import InputError
from actionformer.core.locks import sole_writer
from actionformer.core.run_files import LOCK


def scratch() -> Path:
    """The folder of this machine that files are fetched into."""
    return Path(tempfile.gettempdir()) / "actionformer-fetched"


@contextmanager
def local_file(source: str) -> Iterator[Path]:
    """A source as a file: itself where it is one, else a copy that is removed at the end.

    Raises:
        InputError: it is not there, or it cannot be fetched.
    """
    if not is_address(source):
        yield Path(source)
        return
    system, path = file_system(source)
    folder = scratch() / uuid.uuid4().hex
    with sole_writer(folder):
        copy = folder / PurePosixPath(path).name
        try:
            try:
                system.get_file(path, str(copy))
            except Exception as error:  # every store has its own ways of failing
                reason = " ".join(str(error).split())
                raise InputError(f"{source}: cannot be fetched ({type(error).__name__}: {reason:.200})") from error
            yield copy
        finally:
            copy.unlink(missing_ok=True)


def remove_left() -> None:
    """Removes what processes that were killed have left of what they fetched."""
    for folder in scratch().glob("*"):
        with suppress(InputError, OSError):
            with sole_writer(folder):
                for file in folder.iterdir():
                    if file.name != LOCK:
                        file.unlink()
            folder.rmdir()
