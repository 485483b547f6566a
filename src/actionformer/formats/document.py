"""A file of unknown format, read once: as bytes, as text, as JSON, as XML, as a table, whichever it is."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from actionformer.core.errors import InputError
from actionformer.core.files import LARGEST_TEXT, parse_json, read_bytes
from actionformer.formats.words import in_english
from actionformer.formats.workbook import is_workbook, workbook_rows

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order mark -> encoding."""
GZIPPED = b"\x1f\x8b"
DELIMITERS = "\t;,"
SNIFFED = 50
"""Lines that tell the delimiter of a table."""
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


class TableRow(NamedTuple):
    """A row of a table, and its line in the file."""

    line: int
    cells: Sequence[str]


def _unpacked(data: bytes, path: str | Path) -> bytes:
    """The content of a gzipped file; of any other its bytes."""
    if not data.startswith(GZIPPED):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as file:
            content = file.read(LARGEST_TEXT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: a damaged gzip file ({error})") from error
    if len(content) > LARGEST_TEXT:
        raise InputError(f"{path}: holds more than {LARGEST_TEXT} bytes once unpacked, which no file of labels has")
    return content


def _japanese(data: bytes) -> str:
    """What bytes are in Shift JIS; nothing if that is not Japanese.

    Accents of Latin-1 are bytes from C0 on, with which kanji begin that are hardly used: most others begin below A0.
    """
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return ""
    first = [one.encode("cp932")[0] for one in text if one > "\x7f"]
    return text if sum(0x81 <= one < 0xA0 for one in first) > len(first) / 2 else ""


class Record(NamedTuple):
    """A row of a table by the names of its columns, and its line in the file."""

    line: int
    cells: dict[str, str]


class Document:
    """What the readers of formats look at, of a gzipped file its content. Each view is made when it is first asked for.

    Args:
        path: the file.
        data: its content, by default what it holds now.
        columns: what the user says of the columns of a table: what one tells (`start`, `label`, ...) -> its name.

    Raises:
        InputError: it cannot be read, or is empty.
    """

    def __init__(self, path: str | Path, data: bytes | None = None, columns: Mapping[str, str] | None = None) -> None:
        self.path, self.columns = Path(path), dict(columns or {})
        self.data = _unpacked(read_bytes(path) if data is None else data, path)
        if not self.data.strip():
            raise InputError(f"{path}: the file is empty")

    @property
    def stem(self) -> str:
        """The name of the file without its ending, which is the video's where a format names none."""
        return self.path.stem

    @cached_property
    def text(self) -> str:
        """The text, without its byte order mark: UTF-8 or UTF-16 as the mark says, else UTF-8, else Windows'.

        Windows writes Shift JIS, as Excel has it in Japan, if that gives Japanese, else Latin-1.

        Line breaks of all systems become one newline. Empty for a binary file.
        """
        text = self._decoded()
        return "" if "\0" in text else text.replace("\r\n", "\n").replace("\r", "\n")

    def _decoded(self) -> str:
        encoding = next((name for mark, name in MARKS.items() if self.data.startswith(mark)), "utf-8")
        try:
            return self.data.decode(encoding)
        except UnicodeDecodeError:
            return _japanese(self.data) or self.data.decode("cp1252", errors="replace")

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.removesuffix("\n").split("\n")

    def lines_like(self, pattern: re.Pattern[str]) -> list[tuple[int, re.Match[str]]]:
        """The lines that hold something, with their numbers, if each of them fits a pattern as a whole; else none."""
        found = [(number, pattern.fullmatch(line.strip())) for number, line in enumerate(self.lines, 1) if line.strip()]
        fitting = [(number, match) for number, match in found if match is not None]
        return fitting if len(fitting) == len(found) else []

    def beside(self, *names: str) -> Document | None:
        """The first file of these names in the file's folder or the folder above, such as a list of classes."""
        folder = Path(os.path.abspath(self.path)).parent
        places = (place / name for place in (folder, folder.parent) for name in names)
        return next((Document(place) for place in places if place.is_file()), None)

    @cached_property
    def json(self) -> Any:
        """The content of a JSON file; None if it is none."""
        if not self.text.lstrip().startswith(("{", "[")):
            return None
        try:
            return parse_json(self.text, str(self.path))
        except InputError:
            return None

    @cached_property
    def xml(self) -> ElementTree.Element | None:
        """The root of an XML file, of any encoding that it states; None if it is none."""
        try:
            return ElementTree.fromstring(self.data)
        except (ElementTree.ParseError, ValueError, LookupError):
            return None

    @cached_property
    def table(self) -> list[TableRow]:
        """The rows of a file of values with tabs, semicolons or commas between them; without empty lines.

        Quotes are as spreadsheets write them. The delimiter is the one that the most of the first lines agree on. Of a
        spreadsheet itself (.xlsx), its first sheet. JSON is no table, though it has commas.
        """
        if is_workbook(self.data):
            return [TableRow(*row) for row in workbook_rows(self.data, self.path)]
        if self.json is not None:
            return []
        rows = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter)
        try:
            return [
                TableRow(rows.line_num, [cell.strip() for cell in cells])
                for cells in rows
                if any(map(str.strip, cells))
            ]
        except csv.Error:
            return []

    @cached_property
    def delimiter(self) -> str:
        """What stands between the values of a table: of tab, semicolon and comma, in this order, one in most lines.

        What stands in quotes does not count, unless all does.
        """
        lines = [line for line in self.lines[:SNIFFED] if line.strip()]
        unquoted = [_QUOTED.sub("", line) for line in lines]
        lines = unquoted if any(one in line for line in unquoted for one in DELIMITERS) else lines
        counts = {one: Counter(line.count(one) for line in lines if one in line) for one in DELIMITERS}
        return max(DELIMITERS, key=lambda one: max(counts[one].values(), default=0))

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The first row of the table, in lower case and in English."""
        return tuple(in_english(cell) for cell in self.table[0].cells) if self.table else ()

    def header_row(self, needed: Set[str], any_of: Set[str], first: int | None = None) -> int | None:
        """The place in the table of the first row that has all of some names and any of others, in lower case.

        Args:
            needed: names of columns that must be there.
            any_of: names of which one must be there.
            first: rows that are looked at; by default all.
        """
        for place, row in enumerate(self.table[:first]):
            names = {cell.casefold() for cell in row.cells}
            if needed <= names and names & any_of:
                return place
        return None

    def records(self, header: int = 0) -> list[Record]:
        """The rows below the one at the place `header`, by its names in lower case; missing cells have none."""
        names = [cell.casefold() for cell in self.table[header].cells]
        return [Record(row.line, dict(zip(names, row.cells, strict=False))) for row in self.table[header + 1 :]]

    def where(self, line: int | None = None, item: str = "") -> str:
        """A place in the file, for messages."""
        place = f"line {line}" if line is not None else item
        return f"{self.path}: {place}" if place else str(self.path)
