"""Files of object stores on the machine that reads them: one at a time, removed after."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from actionformer.cluster.manifest import file_system, in_store
from actionformer.core.errors import InputError, kind_and_reason
from actionformer.core.locks import sole_writer
from actionformer.core.run_files import LOCK
from actionformer.extraction.store import MEGABYTE, video_hash


def scratch() -> Path:
    """The folder of this machine that this user's files are fetched into."""
    user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""  # elsewhere each has a temporary folder of their own
    return Path(tempfile.gettempdir()) / f"actionformer-fetched{user}"


def own_scratch() -> Path:
    """The same, made if need be, so that nobody else can read or write in it.

    Raises:
        InputError: it cannot be made, or somebody else can.
    """
    folder = scratch()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror or error})") from error
    if hasattr(os, "getuid") and (
        not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077
    ):
        raise InputError(f"{folder}: others can write or read there: remove it, or set TMPDIR to another folder")
    return folder


def hash_in_store(address: str) -> str:
    """`video_hash` of a file in a store, of which no more is read than that looks at.

    Raises:
        InputError: it is not there, or it cannot be read.
    """
    system, path = file_system(address)
    try:
        size = system.size(path)
        if size is not None:
            digest = hashlib.sha256(str(size).encode())
            for start in (0, max(size - MEGABYTE, 0)):
                digest.update(system.cat_file(path, start, min(start + MEGABYTE, size)))
            return digest.hexdigest()
    except Exception as error:  # as below
        raise InputError(f"{address}: cannot be read ({kind_and_reason(error)})") from error
    with local_file(address) as file:  # some servers do not say how large their files are
        return video_hash(file)


@contextmanager
def local_file(source: str) -> Iterator[Path]:
    """A source as a file: itself where it is one, else a copy that is removed at the end.

    Raises:
        InputError: it is not there, or it cannot be fetched.
    """
    if not in_store(source):
        yield Path(source)
        return
    system, path = file_system(source)
    folder = own_scratch() / uuid.uuid4().hex
    with sole_writer(folder):
        copy = folder / PurePosixPath(path).name
        try:
            try:
                system.get_file(path, str(copy))
            except Exception as error:  # every store has its own ways of failing
                raise InputError(f"{source}: cannot be fetched ({kind_and_reason(error)})") from error
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
