"""Files and folders that one process at a time writes; a lock ends with the process that holds it."""

from __future__ import annotations

import os
import platform
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import IO

from actionformer.core.errors import InputError, warn
from actionformer.core.run_files import LOCK, PART

TRIES, PAUSE = 10, 0.05
"""Times, and seconds between them, that a process asks whether who writes a folder does the same: it may just begin."""
MOST_LOST = 100
"""How often others may remove a folder that is about to be used; some file systems have no new folders at all."""


def lock(file: int | IO[bytes], *, wait: bool = False, shared: bool = False) -> bool | None:
    """Marks an open file or folder as in use, until it is closed.

    Args:
        file: open.
        wait: until nobody else has it.
        shared: others may have it too, if they share it.

    Returns:
        False if another process has it, None where the system or the file system has no locks.
    """
    try:
        import fcntl

        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
    return True


@contextmanager
def sole_writer(folder: Path, doing: str = "") -> Iterator[None]:
    """A folder, made if need be, that this process alone writes; of folders that it made, empty ones go at the end.

    Where there are no locks (Windows, some network file systems) this is said once, and nothing is refused.

    Args:
        folder: where it is.
        doing: what is written, in one line; processes that write the same may do so together. By default none may.

    Raises:
        InputError: another process writes there, or nobody can.
    """
    made, file = _claimed(folder, doing)
    try:
        yield
    finally:
        _leave(folder, made, file)


def _leave(folder: Path, made: Iterable[Path], file: IO[bytes]) -> None:
    """Removes the lock of a folder, unless others share it, and of folders that were made those that are empty."""
    with file:
        if lock(file) is not False and _is_at(file, folder / LOCK):
            (folder / LOCK).unlink()
    for one in made:
        with suppress(OSError):  # something lies in it
            one.rmdir()


def _claimed(folder: Path, doing: str) -> tuple[list[Path], IO[bytes]]:
    """The folders that were made, innermost first, and the lock file, open and held."""
    made: list[Path] = []
    lost = 0
    while True:
        try:
            made += [one for one in (folder, *folder.parents) if not one.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            file = (folder / LOCK).open("a+b")
        except OSError as error:
            if isinstance(error, FileNotFoundError) and (lost := lost + 1) < MOST_LOST:
                continue  # who made the folder has just removed it
            refused = "write there" if folder.is_dir() else "be made"
            raise InputError(f"{folder}: cannot {refused} ({error.strerror or error})") from error
        held = lock(file)
        joined = held is False and _joined(file, doing)
        if held is False and not joined:
            with file:
                raise InputError(f"{folder}: is in use{_holder(file)}: wait until it ends or choose another folder")
        if held is None:
            warn(f"{folder}: this file system has no locks: make sure that no second run writes into it", stacklevel=4)
        if joined and _is_at(file, folder / LOCK):
            return made, file
        try:
            if (held is None or _is_at(file, folder / LOCK)) and _said(file, doing):
                return made, file
        except OSError as error:  # a full disk
            _leave(folder, made, file)
            raise InputError(f"{folder}: cannot write there ({error.strerror or error})") from error
        file.close()  # who had it has just removed it, or somebody else has it now


def _said(file: IO[bytes], doing: str) -> bool:
    """Writes into a lock file who has it, and lets those share it who do the same; False if it was lost over that."""
    file.truncate(0)
    os.write(file.fileno(), f"process {os.getpid()} on {platform.node()}\n{doing}".encode())
    return not doing or lock(file, shared=True) is not False


def _joined(file: IO[bytes], doing: str) -> bool:
    """Whether those who write a folder do the same and share its lock, which this process then has too."""
    for _ in range(TRIES if doing else 0):
        if lock(file, shared=True):
            return _content(file)[1] == doing
        time.sleep(PAUSE)
    return False


def alone(path: Path) -> IO[bytes]:
    """A file, made if need be and opened to be read and written, that this process alone has open so.

    Raises:
        InputError: another process has.
        OSError: it cannot be opened.
    """
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b")
        held = lock(file)
        if held is False:
            file.close()
            raise InputError(f"{path}: another process writes it: wait until it ends or choose another output")
        if held is None:
            warn(f"{path}: this file system has no locks: make sure that no second process writes it", stacklevel=4)
        if held is None or _is_at(file, path):
            return file
        file.close()  # who had it has just removed it


def _holder(file: IO[bytes]) -> str:
    who, _ = _content(file)
    return f" by {who}" if who else " by another process"


def _content(file: IO[bytes]) -> tuple[str, str]:
    """Who writes, and what."""
    file.seek(0)
    who, _, doing = file.read().decode("utf-8", "replace").partition("\n")
    return who, doing


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def part_name(name: str, which: str) -> str:
    """What a file is called while it is written, however long its own name is."""
    short = name.encode("utf-8", "surrogateescape")[:150].decode("utf-8", "ignore")
    return f".{short}.{which}{PART}"


def parts_of(target: Path) -> Iterable[Path]:
    """What lies beside a target of writers that were killed, or still write."""
    before, _, after = part_name(target.name, "/").partition("/")
    return target.parent.glob(f"{escape(before)}*{after}")


def new_part(target: Path) -> tuple[Path, IO[bytes]]:
    """A new hidden file beside a target, which no reader takes for a finished one; locked as long as it is open."""
    while True:
        path = target.with_name(part_name(target.name, uuid.uuid4().hex))
        file = path.open("xb")
        held = lock(file)
        if held is None:
            file.close()  # such systems replace no open file
        if held is None or (held and _is_at(file, path)):
            return path, file
        file.close()  # somebody took it for one that was left


def remove_left(parts: Iterable[Path]) -> None:
    """Removes what processes that were killed have left of what they wrote, and nothing that a living one writes."""
    for path in parts:
        with suppress(OSError), path.open("rb") as file:
            if lock(file):
                path.unlink()
