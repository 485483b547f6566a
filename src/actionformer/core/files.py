"""Files written whole or not at all, and text, JSON and TOML read with errors a person can act on."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.locks import new_part, parts_of, remove_left

LARGEST_TEXT, LARGEST_SETTINGS = 1 << 30, 1 << 17
"""Bytes of a text file, and of one that people write by hand."""
LARGE_CLAIM, CLAIMED = 1 << 28, 200
"""Bytes from which on a compressed array is doubted, and how much smaller no array of measured numbers gets."""
LFS_POINTER = b"version https://git-lfs"
"""What a pointer of Git LFS begins with."""
DEEP_KEY = re.compile(r"""(?:[\w"'-]{1,60}[ \t]*\.[ \t]*){20}""")
"""Of TOML: twenty parts with dots between them."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path in the folder of `path`, which becomes `path` when the block ends without an error.

    Missing folders are made. The temporary name ends in `.part`, so no reader takes it for a finished file;
    `np.save` appends `.npy` to such a name, hand it an open file. What killed processes left of `path` is removed.
    On an error `path` stays as it was. A pipe or a device is written to, not replaced.

    Raises:
        InputError: the file cannot be written (full disk, no permission, a folder of that name).
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path}: cannot write, there is a folder of that name")
    if not target.is_file() and Path(path).exists():
        with naming(path, Path(path)):
            yield Path(path)
        return
    make_folder(target.parent, path)
    remove_left(parts_of(target))
    with naming(path):
        temporary, file = new_part(target)
    try:
        with naming(path, temporary), file:
            yield temporary
            _flush(temporary)
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def naming(path: str | Path, hidden: Path | None = None) -> Iterator[None]:
    """What the system refuses in the block is an error about the output that a person asked for.

    Args:
        path: the output.
        hidden: the file that the block writes in its place; an error about any other file stays as it is.

    Raises:
        InputError: full disk, no permission.
    """
    try:
        yield
    except OSError as error:
        if hidden is None or error.filename is None or str(error.filename) == str(hidden):
            raise InputError(f"{path}: cannot write ({error.strerror or error})") from error
        raise


def make_folder(folder: Path, path: str | Path) -> None:
    """Makes the folder of an output.

    Raises:
        InputError: it cannot be made; names the output.
    """
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
    written = _encoded(content, path) if isinstance(content, str) else content
    with replacing(path) as temporary:
        temporary.write_bytes(written)


def write_pieces(path: str | Path, pieces: Iterable[str | bytes]) -> None:
    """Write a file whole or not at all that is never in memory as a whole; text as UTF-8.

    Raises:
        InputError: as `write_whole`.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        for piece in pieces:
            file.write(_encoded(piece, path) if isinstance(piece, str) else piece)


def _encoded(text: str, path: str | Path) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        lost = text[error.start : error.end]
        raise InputError(
            f"{path}: cannot write {lost!r:.20}, which is not Unicode text: rename what holds it"
        ) from error


def check_absent(paths: Iterable[str | Path], *, overwrite: bool) -> None:
    """Checks that files can be written without replacing any, unless that is asked for. Pipes and devices may be there.

    Raises:
        InputError: names the first that exists.
    """
    there = [] if overwrite else [path for path in paths if Path(path).is_file()]
    if there:
        others = len(there) - 1
        more = f", and so do {others:,} more" if others > 1 else f", and so does {there[1]}" if others else ""
        them = "them" if others else "it"
        raise InputError(f"{there[0]}: exists{more}; --overwrite replaces {them}, or choose another output")


def version_of(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written; None if there is none."""
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_mtime_ns, status.st_ino


def read_text(path: str | Path, *, what: str = "", largest: int = LARGEST_TEXT, may_be_empty: bool = False) -> str:
    """The text of a UTF-8 file, or of a pipe that somebody writes into.

    Args:
        path: the file.
        what: how a message calls its content, e.g. "the settings".
        largest: bytes that are read at most.
        may_be_empty: whether there may be nothing in it.

    Raises:
        InputError: missing, unreadable, a folder or a device, empty, too large or not UTF-8.
    """
    try:
        text = read_bytes(path, what=what, largest=largest).decode("utf-8-sig")  # a line break in a name stays as it is
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from error
    if not (may_be_empty or text.strip()):
        raise InputError(f"{path}: the file is empty")
    return text


def read_bytes(path: str | Path, *, what: str = "", largest: int = LARGEST_TEXT) -> bytes:
    """All bytes of a file, or of a pipe that somebody writes into; what never ends is refused.

    Args:
        path: the file.
        what: how a message calls its content.
        largest: bytes that are read at most.

    Raises:
        InputError: missing, unreadable, a folder or a device, too large, or a pointer of Git LFS.
    """
    try:
        content = _content(path, largest)
        _check_fetched(path, content)
        return content
    except OSError as error:
        raise InputError(f"{path}: cannot read{f' {what}' if what else ''} ({error.strerror or error})") from error


def _content(path: str | Path, largest: int) -> bytes:
    without_waiting = getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody writes into is empty
    blocks, read = [], 0
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | without_waiting)) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise InputError(f"{path}: is a device, expected a file")
        if without_waiting:
            os.set_blocking(file.fileno(), True)
        while block := file.read(1 << 20):
            blocks.append(block)
            read += len(block)
            if read > largest:
                raise InputError(f"{path}: is larger than {largest:,} bytes, which no such file is")
    return b"".join(blocks)


@contextmanager
def parsing(path: str | Path, kind: str) -> Iterator[None]:
    """What a parser refuses beyond its grammar, which every parser of text has in common.

    Raises:
        InputError: numbers of thousands of digits, dates that cannot be, nesting that is too deep.
    """
    try:
        yield
    except InputError:
        raise
    except RecursionError as error:
        raise InputError(f"{path}: {kind} nested too deeply") from error
    except ValueError as error:
        reason = "a number has too many digits" if "integer string conversion" in str(error) else f"{error!s:.200}"
        if isinstance(error, json.JSONDecodeError):
            reason = f"{error.msg} (line {error.lineno}, column {error.colno})"
        raise InputError(f"{path}: not valid {kind}: {' '.join(reason.split())}") from error


def read_json(path: str | Path) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: missing, empty or broken (with line and column), or a key that occurs twice in one object.
    """
    return parse_json(read_text(path), str(path))


def parse_json(text: str, path: str) -> Any:
    """The content of a JSON text that stands in a file, or in the line of one that `path` names.

    Raises:
        InputError: as `read_json`.
    """
    try:
        with parsing(path, "JSON"):
            return json.loads(text, object_pairs_hook=_unique_keys, parse_int=_integer)
    except _RepeatedKeyError as error:
        raise InputError(f"{path}: key {error!s:.80} occurs twice in one object, keep one of them") from error


def read_toml(path: str | Path) -> dict[str, Any]:
    """The content of a TOML file of settings; an empty one has none.

    Raises:
        InputError: missing, too large or broken (with its line).
    """
    text = read_text(path, what="the settings", largest=LARGEST_SETTINGS, may_be_empty=True)
    if DEEP_KEY.search(text):  # the parser takes the square of its parts
        raise InputError(f"{path}: TOML nested too deeply")
    with parsing(path, "TOML"):
        return tomllib.loads(text.replace("\r\n", "\n"))


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file that are objects; what a crash cut short is left out."""
    objects = []
    for line in read_text(path).split("\n") if path.stat().st_size else []:
        try:
            value = json.loads(line, parse_int=_integer)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            objects.append(value)
    return objects


def check_fetched(path: Path) -> None:
    """Checks that a file is itself, and not what Git LFS leaves in its place until it is fetched.

    Raises:
        InputError: it is not.
    """
    with path.open("rb") as file:
        _check_fetched(path, file.read(len(LFS_POINTER)))


def _check_fetched(path: str | Path, content: bytes) -> None:
    if content.startswith(LFS_POINTER):
        raise InputError(f"{path}: is a pointer of Git LFS and not the file itself: fetch it with git lfs pull")


def check_compression(path: Path, unpacked: int) -> None:
    """Checks that a file can hold what it says: a few bytes can claim to be any number of zeros.

    Raises:
        InputError: it would be `CLAIMED` times as large in memory, and large.
    """
    size = path.stat().st_size
    if unpacked > LARGE_CLAIM and unpacked > CLAIMED * size:
        raise InputError(f"{path}: a file of {size:,} bytes says that it holds {unpacked:,}: it is not read")


def _integer(text: str) -> int:
    """A whole number that a float can hold: larger ones are in no file that means what it says."""
    if len(text) > 300:
        raise ValueError("a number has too many digits")
    return int(text)


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
