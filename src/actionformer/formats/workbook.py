"""Spreadsheets of Excel (.xlsx) as tables of text, as if they had been saved as CSV."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from actionformer.core.errors import InputError, listed, missing_extra, warn
from actionformer.core.files import LARGEST_TEXT

ZIPPED = b"PK\x03\x04"
SHEET = "sheet"
"""The column that says which sheet a row is of, where several are read."""


class SheetRow(NamedTuple):
    """A row of a sheet that holds something, and its number."""

    number: int
    cells: list[str]


def is_workbook(data: bytes) -> bool:
    """Whether a file's bytes are a spreadsheet of Excel."""
    if not data.startswith(ZIPPED):
        return False
    try:
        return "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(data)).namelist()
    except zipfile.BadZipFile:
        return False


def workbook_rows(data: bytes, path: Path) -> list[SheetRow]:
    """The rows of the first sheet that holds something, and of those that begin with the same row.

    Where these are several, every row ends with the name of its sheet, in a column `sheet`.

    Raises:
        InputError: openpyxl is not installed (the line that installs it is given), or a damaged file.
    """
    sheets = {name: rows for name, rows in _sheets(data, path).items() if rows}
    if not sheets:
        return []
    first = next(iter(sheets.values()))
    alike = {name: rows for name, rows in sheets.items() if rows[0].cells == first[0].cells}
    if others := [name for name in sheets if name not in alike]:
        warn(
            f"{path}: only the first of its sheets is read, and what has the same columns; "
            f"not read: {listed(others, 5)}: save them as files of their own"
        )
    if len(alike) == 1:
        return first
    named = [SheetRow(row.number, [*row.cells, name]) for name, rows in alike.items() for row in rows[1:]]
    return [SheetRow(first[0].number, [*first[0].cells, SHEET]), *named]


def _sheets(data: bytes, path: Path) -> dict[str, list[SheetRow]]:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise missing_extra("openpyxl", "xlsx", f"{path}: reading a spreadsheet") from error
    if sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(data)).infolist()) > LARGEST_TEXT:
        raise InputError(f"{path}: holds more than {LARGEST_TEXT} bytes once unpacked, which no file of labels has")
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        return {sheet.title: list(_rows(sheet)) for sheet in book.worksheets}
    except Exception as error:  # a damaged file fails anywhere in the library
        raise InputError(f"{path}: a damaged spreadsheet ({type(error).__name__}: {error!s:.100})") from error


def _rows(sheet: Any) -> Iterator[SheetRow]:
    """The rows that hold something, all as wide as the widest."""
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = [_text(value) for value in values]
        if any(cells):
            yield SheetRow(number, cells)


def _text(value: Any) -> str:
    """What a cell shows: numbers with the 15 digits that Excel keeps, times as hours:minutes:seconds."""
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return _clock(value)
    if isinstance(value, time):
        return _clock(timedelta(0, value.second, value.microsecond, 0, value.minute, value.hour))
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return f"{value:.15g}" if isinstance(value, float) else str(value).strip()


def _clock(span: timedelta) -> str:
    """To the millisecond, as finely as Excel shows times."""
    total = round(span / timedelta(milliseconds=1))
    minutes, milliseconds = divmod(total, 60_000)
    return f"{minutes // 60}:{minutes % 60:02}:{milliseconds / 1000:06.3f}"
