"""Which videos a job is about: lists and tables of paths, folders, patterns, and addresses of object stores."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from glob import has_magic
from pathlib import Path, PurePosixPath
from typing import Any

from actionformer.core.errors import InputError, listed, missing_extra, reason_of
from actionformer.core.files import parse_json, read_bytes
from actionformer.core.names import check_name
from actionformer.extraction.inputs import Kinds, named_files, of_recording
from actionformer.medium import Medium

LISTS = (".txt", ".csv", ".jsonl", ".parquet")
"""Endings of files that say which videos are meant; where recordings themselves end so, they are recordings."""
PATH_COLUMNS = ("path", "uri", "url", "file", "source")
ID_COLUMNS = ("id", "video")
"""Columns of a table that are looked for, the first that is there counts."""


def read_manifest(inputs: Sequence[str | Path], kinds: Kinds, medium: Medium) -> dict[str, str]:
    """The videos that a call is about: id -> path or address, each once, in the given order.

    A list has a path or an address per line; a table has a column of them, and possibly one of ids. Relative paths
    count from the list's folder. Where no id is given, it is the path below what was given (a folder, a pattern, the
    folder of a list), without the ending; of an absolute path or an address in a list it is the file's name alone.

    Args:
        inputs: lists (.txt), tables (.csv, .jsonl, .parquet), files, folders, patterns, and addresses of all of these,
            such as s3://bucket/videos/ or s3://bucket/**/*.mp4.
        kinds: what is looked for -> the endings of its files.
        medium: what these files hold, which says what recordings of a file's name are called.

    Raises:
        InputError: nothing there, a table without paths, two videos of one id, a file of two ids, or an address whose
            store cannot be reached or needs a package.
    """
    endings = {ending for some in kinds.values() for ending in some}
    videos: dict[str, str] = {}
    ids: dict[Path, str] = {}
    for given in map(str, inputs):
        for id_, source in _meant(given, kinds, endings, medium):
            check_name(id_, f"{source}: its name")
            if ids.setdefault(Path(source), id_) != id_:
                raise InputError(f"{source}: is called {ids[Path(source)]!r} and {id_!r}: give it once")
            if Path(videos.setdefault(id_, source)) != Path(source):
                raise InputError(
                    f"{videos[id_]} and {source} are both called {id_!r}: give a table with a column 'id', or a folder "
                    "above both, which tells them apart"
                )
    if not videos:
        raise InputError(f"{listed(list(map(str, inputs)), 3)}: no {' or '.join(sorted(kinds))} there")
    return videos


def in_store(source: str) -> bool:
    """Whether a source is in a store that fsspec opens, and not a path of a file system."""
    return "://" in source


def everywhere(source: str) -> str:
    """A source as it is called from any folder, on any machine: an address as it is, a path in full."""
    return source if in_store(source) else str(Path(source).absolute())


def file_system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises:
        InputError: fsspec, or what it needs for this kind of store, is not installed; or nobody knows such addresses.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise missing_extra("fsspec", "cluster", f"{address}: reading from a store") from error
    try:
        opened: tuple[Any, str] = url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise InputError(f"{address}: cannot be opened ({reason_of(error)})") from error
    return opened


def _meant(given: str, kinds: Kinds, endings: set[str], medium: Medium) -> Iterator[tuple[str, str]]:
    """(id, source) of all that one of the inputs stands for."""
    ending = PurePosixPath(given).suffix.lower()
    if ending in LISTS and ending not in endings and not has_magic(given):
        for id_, name, source in _listed(given, ending):
            yield id_ or of_recording(name, [medium]), source
    elif in_store(given):
        yield from ((of_recording(name, [medium]), source) for name, source in _at_address(given, endings))
    else:
        yield from ((id_, str(file)) for file, id_ in named_files([given], kinds, [medium]).items())


def _at_address(address: str, endings: set[str]) -> Iterator[tuple[str, str]]:
    system, path = file_system(address)
    try:
        if has_magic(path):
            base = path[: path.index(next(part for part in path.split("/") if has_magic(part)))]
            found = system.glob(path)
        elif system.isdir(path):
            base, found = path, system.find(path)
        else:
            yield PurePosixPath(path).stem, address
            return
    except OSError as error:
        raise InputError(f"{address}: cannot be read ({error.strerror or error})") from error
    wanted = sorted(one for one in found if PurePosixPath(one).suffix.lower() in endings)
    if not wanted:
        raise InputError(f"{address}: no files here that end in {', '.join(sorted(endings))}")
    for one in wanted:
        below = PurePosixPath(one[len(base) :].lstrip("/"))
        yield str(below.parent / below.stem), system.unstrip_protocol(one)


def _listed(given: str, ending: str) -> Iterator[tuple[str, str, str]]:
    """(id, name of the file, source) of all that a list has; the id is empty where it says none."""
    content = _content(given)
    rows = {".txt": _lines, ".csv": _of_csv, ".jsonl": _of_json_lines, ".parquet": _of_parquet}[ending](content, given)
    folder = "" if in_store(given) else str(Path(given).parent)
    for path, id_ in rows:
        own, relative = PurePosixPath(path), not (in_store(path) or Path(path).is_absolute())
        if relative and in_store(given):
            raise InputError(f"{given}: {path!r}: a list in a store needs whole addresses")
        name = str(own.parent / own.stem) if relative and ".." not in own.parts else own.stem
        yield id_, name, str(Path(folder, path)) if relative else path


def _content(given: str) -> bytes:
    if not in_store(given):
        return read_bytes(given, what="the list of videos")
    system, path = file_system(given)
    try:
        content: bytes = system.cat_file(path)
    except OSError as error:
        raise InputError(f"{given}: cannot be read ({error.strerror or error})") from error
    return content


def _lines(content: bytes, given: str) -> Iterator[tuple[str, str]]:
    yield from ((line.strip(), "") for line in _text(content, given).splitlines() if line.strip())


def _of_csv(content: bytes, given: str) -> Iterator[tuple[str, str]]:
    return _rows(csv.DictReader(io.StringIO(_text(content, given), newline="")), given)


def _of_json_lines(content: bytes, given: str) -> Iterator[tuple[str, str]]:
    lines = enumerate(_text(content, given).splitlines(), 1)
    return _rows((parse_json(line, f"{given}: line {number}") for number, line in lines if line.strip()), given)


def _of_parquet(content: bytes, given: str) -> Iterator[tuple[str, str]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise missing_extra("pyarrow", "parquet", f"{given}: reading Parquet") from error
    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        columns = [name for name in file.schema_arrow.names if name in (*PATH_COLUMNS, *ID_COLUMNS)]
        rows = [row for batch in file.iter_batches(columns=columns) for row in batch.to_pylist()]
    except (ArrowException, OSError) as error:
        raise InputError(f"{given}: not valid Parquet: {reason_of(error)}") from error
    return _rows(rows, given)


def _rows(rows: Iterable[Any], given: str) -> Iterator[tuple[str, str]]:
    """(path, id) of every row of a table; the id is empty where there is none."""
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise InputError(f"{given}: entry {number}: expected an object, found {json.dumps(row)[:60]}")
        path, id_ = (_first(row, names) for names in (PATH_COLUMNS, ID_COLUMNS))
        if not isinstance(path, str) or not path:
            raise InputError(
                f"{given}: entry {number}: no path, expected it in a column called {' or '.join(PATH_COLUMNS)}, found "
                f"{listed([str(name) for name in row], 5)}"
            )
        yield path, str(id_)


def _first(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    """What stands in the first of these columns that is not empty."""
    return next((row[name] for name in names if row.get(name) not in (None, "")), "")


def _text(content: bytes, given: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{given}: not UTF-8 text (byte {error.start})") from error
