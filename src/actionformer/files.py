"""Files written whole or not at all, and JSON read with errors a person can act on."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from actionformer.errors import InputError

DETECTIONS, METRICS = "detections.json", "metrics.jsonl"
"""Files of a run directory that more than one room knows."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path in the folder of `path`, which becomes `path` when the block ends without an error.

    Missing folders are made. The temporary name ends in `.part`, so no reader takes it for a finished file;
    `np.save` appends `.npy` to such a name, hand it an open file. On an error `path` stays as it was.

    Raises:
        InputError: the file cannot be written (full disk, no permission, a folder of that name).
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path}: cannot write, there is a folder of that name")
    replaceable = target.is_file() or not Path(path).exists()  # not a pipe or a device
    if replaceable:
        _make_folder(target.parent, path)
    temporary = target.with_name(part_name(target.name, uuid.uuid4().hex)) if replaceable else Path(path)
    try:
        yield temporary
        if replaceable:
            _flush(temporary)
            os.replace(temporary, target)
    except OSError as error:
        if error.filename is None or str(error.filename) == str(temporary):  # not a file the block reads
            raise InputError(f"{path}: cannot write ({error.strerror or error})") from error
        raise
    finally:
        if replaceable:
            temporary.unlink(missing_ok=True)


def part_name(name: str, which: str) -> str:
    """What a file is called while it is written, however long its own name is."""
    short = name.encode("utf-8", "surrogateescape")[:150].decode("utf-8", "ignore")
    return f".{short}.{which}.part"


def lock(file: int | IO[bytes], *, wait: bool = False) -> bool:
    """Marks an open file or folder as in use, until it is closed; False if another process has, or no system can.

    Args:
        file: open.
        wait: until nobody else has it.
    """
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # another system, or another process
        return False
    return True


def _make_folder(folder: Path, path: str | Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot make its folder ({error.strerror or error})") from error


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_whole(path: str | Path, content: bytes | str) -> None:
    """Write a file whole or not at all; text as UTF-8.

    Raises:
        InputError: the file cannot be written (full disk, no permission, a folder of that name).
    """
    try:
        written = content.encode("utf-8") if isinstance(content, str) else content
    except UnicodeEncodeError as error:
        lost = content[error.start : error.end] if isinstance(content, str) else ""
        raise InputError(
            f"{path}: cannot write {lost!r:.20}, which is not Unicode text: rename what holds it"
        ) from error
    with replacing(path) as temporary:
        temporary.write_bytes(written)


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file.

    Raises:
        InputError: missing, unreadable, empty or not UTF-8.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")  # a line break in a name stays as it is
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from error
    if not text.strip():
        raise InputError(f"{path}: the file is empty")
    return text


def read_json(path: str | Path) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: missing, empty or broken (with line and column), or a key that occurs twice in one object.
    """
    try:
        return json.loads(read_text(path), object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{path}: not valid JSON: {error.msg} ({where})") from error
    except _RepeatedKeyError as error:
        raise InputError(f"{path}: key {error} occurs twice in one object, keep one of them") from error
    except RecursionError as error:
        raise InputError(f"{path}: JSON nested too deeply") from error


class _RepeatedKeyError(Exception):
    pass


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RepeatedKeyError(repr(key))
            seen.add(key)
    return result
