"""Which format a file of labels has, told by its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from actionformer.core.errors import InputError, kind_and_reason
from actionformer.formats.csv_table import check_roles, why_none
from actionformer.formats.document import Document
from actionformer.formats.index import FORMATS, find, names
from actionformer.formats.labels import LabelFile

BROKEN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What readers raise of a file in which something is of another kind than its format has it."""


TABLE = "csv"
"""The format of tables with named columns."""


def read_labels(path: str | Path, format: str | None = None, columns: Mapping[str, str] | None = None) -> LabelFile:
    """The labels of a file of any format.

    Args:
        path: the file.
        format: what it is, by default what its content says.
        columns: what columns of tables tell (`start`, `label`, ...) -> their names.

    Raises:
        InputError: no format that is known (what was seen is said), several that could be meant, or a broken file.
    """
    check_roles(columns or ())
    document = Document(path, columns=columns)
    if format is None and columns and _is_table(document):
        format = TABLE
    one = find(format) if format is not None else FORMATS[recognised(document)]
    read = one.function("read_labels")
    if format is not None and not _holds(one.name, document):
        why = (
            why_none(document) if one.name == TABLE and _is_table(document) else f"holds no labels in format {one.name}"
        )
        raise InputError(f"{path}: {seen(document)}: {why}")
    try:
        found: LabelFile = read(document)
    except InputError:
        raise
    except BROKEN as error:
        reason = f"{kind_and_reason(error):.100}"
        raise InputError(f"{path}: looks like {one.name}, and is laid out otherwise ({reason})") from error
    return replace(found, videos=[replace(video, source=str(path)) for video in found.videos])


def _holds(name: str, document: Document) -> bool:
    """Whether a file has a format; one in which something is of another kind than that format has it does not."""
    try:
        return bool(FORMATS[name].function("holds_labels")(document))
    except BROKEN:
        return False


def recognised(document: Document) -> str:
    """The name of the one format that a file's content is.

    Raises:
        InputError: none, or several.
    """
    fitting = [name for name in names(imports=True) if _holds(name, document)]
    fitting = [name for name in fitting if not FORMATS[name].general] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise InputError(f"{document.path}: could be {' or '.join(fitting)}: say which with --format")
    if _is_table(document):
        raise InputError(f"{document.path}: {seen(document)}: {why_none(document)}")
    known = ", ".join(names(imports=True))
    raise InputError(f"{document.path}: {seen(document)}: no format of labels that is known; there are {known}")


def _is_table(document: Document) -> bool:
    """Whether most rows have several values, and the file is of no other kind."""
    rows = document.table
    return document.xml is None and document.json is None and sum(len(row.cells) > 1 for row in rows) > len(rows) / 2


def seen(document: Document) -> str:
    """What a file looks like, for a person who wonders why it is not read."""
    if document.xml is not None:
        return f"XML whose root is <{document.xml.tag}>"
    if isinstance(document.json, dict):
        return f"JSON with the keys {_few(list(document.json))}"
    if isinstance(document.json, list):
        return f"JSON, a list of {len(document.json)}"
    if _is_table(document):
        return f"a table with the columns {_few(list(document.table[0].cells))}"
    if not document.text:
        return "binary data"
    return f"text that begins with {document.lines[0]!r:.60}"


def _few(values: list[str]) -> str:
    more = f" and {len(values) - 6} more" if len(values) > 6 else ""
    return ", ".join(f"{value:.30}" for value in values[:6]) + more
