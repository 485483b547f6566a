"""Files written whole or not at all, and JSON read with errors a person can act on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actionformer.errors import InputError
from actionformer.locks import new_part, parts_of, remove_left

DETECTIONS, REPORT, METRICS = "detections.json", "evaluation.json", "metrics.jsonl"
"""Files of a run directory that more than one room knows."""


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


def write_pieces(path: str | Path, pieces: Iterable[str]) -> None:
    """Write a text whole or not at all that is never in memory as a whole.

    Raises:
        InputError: as `write_whole`.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        for piece in pieces:
            file.write(_encoded(piece, path))


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
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise InputError(f"{there[0]}: exists{more}; --overwrite replaces it, or choose another output")


def version_of(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written; None if there is none."""
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_mtime_ns, status.st_ino


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
    return parse_json(read_text(path), str(path))


def parse_json(text: str, path: str) -> Any:
    """The content of a JSON text that stands in a file, or in the line of one that `path` names.

    Raises:
        InputError: as `read_json`.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique_keys)
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
