r"""Labels of Datavyu: its projects (.opf, an archive), its CSV, and the tables that scripts make of them.

A column has cells with an onset, an offset and a value, or several values `(a,b)`, of which the first that is not
empty is the label. A column is a layer. The clock has milliseconds after a colon.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from functools import partial

from actionformer.core.errors import InputError
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number

LARGEST = 1 << 28
"""Bytes that a part of a project may have."""
_CELL = re.compile(r"(\d+):(\d\d):(\d\d):(\d{3}),(\d+):(\d\d):(\d\d):(\d{3}),(.*)", re.DOTALL)
_COLUMN = re.compile(r"(.+?) \((?:TEXT|NOMINAL|FLOAT|INTEGER|MATRIX|PREDICATE)(?:,(?:true|false),.*?)?\)(?:-.*)?")
_MEDIA = re.compile(r"^\s*(?:- )?feed: *(.+)$", re.MULTILINE)
_NAME = re.compile(r"^name: *(.+)$", re.MULTILINE)
TABLE = {"column", "onset", "offset", "ordinal"}
NEVER_SET = "a cell whose offset was never set is taken for a moment"
NO_CODE = "a cell without a code: the name of its column is taken as its label"
SEVERAL_CODES = "a cell with several codes: the first is its label"


def holds_labels(document: Document) -> bool:
    """Whether it is a project, the text of one, or a table with onsets and offsets of columns."""
    if set(document.header) >= TABLE:
        return True
    return any(map(_COLUMN.fullmatch, _database(document).split("\n")[:3]))


def read_labels(document: Document) -> LabelFile:
    """The cells of all columns."""
    remarks: list[Remark] = []
    if set(document.header) >= TABLE:
        return LabelFile(_of_table(document, remarks), remarks)
    project = _part(document, "project")
    media = [found.strip("'\" ") for found in _MEDIA.findall(project)]
    names = list(dict.fromkeys([*media, *_NAME.findall(project), document.stem]))
    segments = list(_cells(document, remarks))
    return LabelFile([LabelledVideo(names[0].strip(), segments, other_names=names[1:])], remarks)


def _database(document: Document) -> str:
    return document.text or _part(document, "db")


def _part(document: Document, name: str) -> str:
    """The text of a member of the archive, in whatever folder it is."""
    if not document.data.startswith(b"PK"):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(document.data)) as archive:
            members = (one for one in archive.infolist() if not one.filename.startswith("__MACOSX"))
            found = next((one for one in members if one.filename.rpartition("/")[2] == name), None)
            if found is None:
                return ""
            if found.file_size > LARGEST:
                raise InputError(f"{document.path}: its part {name} has {found.file_size} bytes, at most {LARGEST}")
            return archive.read(found).decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return ""


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that ends with an odd backslash goes on in the next."""
    held, first = "", 0
    for line_number, line in enumerate(text.split("\n"), 1):
        first = first if held else line_number
        held += line
        if (len(line) - len(line.rstrip("\\"))) % 2:
            held = held[:-1] + " "
            continue
        yield first, held
        held = ""


def _cells(document: Document, remarks: list[Remark]) -> Iterator[LabelledSegment]:
    column = ""
    for line, text in _entries(_database(document)):
        where = document.where(line)
        if cell := _CELL.fullmatch(text):
            yield _segment(cell, column, where, remarks)
        elif named := _COLUMN.fullmatch(text):
            column = named[1]


def _segment(cell: re.Match[str], column: str, where: str, remarks: list[Remark]) -> LabelledSegment:
    onset, offset = (_seconds(cell.groups()[first : first + 4]) for first in (0, 4))
    codes = [code for code in map(_unescaped, _codes(cell[9])) if code and not code.startswith("<")]
    return _labelled(onset, offset, codes, column, where, remarks)


def _labelled(
    onset: float, offset: float, codes: list[str], column: str, where: str, remarks: list[Remark]
) -> LabelledSegment:
    say = partial(Remark, where=where)
    remarks += [say(NO_CODE)] if not codes else [say(SEVERAL_CODES)] if len(codes) > 1 else []
    if offset == 0 and onset > 0:
        remarks.append(say(NEVER_SET))
        offset = onset
    return LabelledSegment(onset, offset, codes[0] if codes else column, where, column)


def _codes(value: str) -> list[str]:
    """The value of a cell, or the values between commas of `(a,b)`."""
    value = value.strip()
    return re.split(r"(?<!\\),", value[1:-1]) if value.startswith("(") and value.endswith(")") else [value]


def _unescaped(code: str) -> str:
    return " ".join(re.sub(r"\\(.)", r"\1", code).split()).strip('"')


def _seconds(parts: tuple[str, ...]) -> float:
    hours, minutes, seconds, milliseconds = map(int, parts)
    return (1000 * (3600 * hours + 60 * minutes + seconds) + milliseconds) / 1000


def _of_table(document: Document, remarks: list[Remark]) -> list[LabelledVideo]:
    """A row per cell, times in milliseconds, the codes after them."""
    header = document.header
    first_code = max(header.index(name) for name in TABLE) + 1
    videos: dict[str, list[LabelledSegment]] = {}
    partly: set[str] = set()
    for row, (line, cells) in zip(document.table[1:], document.records(), strict=True):
        onset, offset = number(cells.get("onset")), number(cells.get("offset"))
        where, name = document.where(line), cells.get("file") or document.stem
        segments = videos.setdefault(name, [])
        if onset is None or offset is None:
            remarks.append(Remark("a row without an onset and an offset is left out", where))
            partly.add(name)
            continue
        codes = [code for code in row.cells[first_code:] if code and code.upper() != "NA"]
        segments.append(_labelled(onset / 1000, offset / 1000, codes, cells.get("column", ""), where, remarks))
    return [LabelledVideo(name, segments, complete=name not in partly) for name, segments in videos.items()]
