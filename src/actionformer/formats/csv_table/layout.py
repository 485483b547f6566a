"""Which rows of a table are labels, and which column tells what: as the user, the header or the content says."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, zip_longest

from actionformer.core.errors import listed
from actionformer.core.names import nearest
from actionformer.formats.csv_table.columns import Column, Columns, Role, columns_of, is_unit, place_of, roles_of_names
from actionformer.formats.csv_table.content import roles_of_content
from actionformer.formats.document import Document, TableRow
from actionformer.formats.numbers import is_clock, seconds
from actionformer.formats.units import UNITS

PER_SECOND = {**UNITS, "frames": 1.0}
"""Unit -> how many are a second; frames stay frames."""
STARTS, STOPS = frozenset(("start", "begin", "on", "onset")), frozenset(("stop", "end", "off", "offset"))
POINTS = frozenset(("point",))
"""What a row of one event says, in lower case."""
ENDS: frozenset[Role | None] = frozenset(("start", "end", "duration"))
PREAMBLE = 10
"""Rows among which the header is looked for."""


@dataclass(frozen=True)
class Layout:
    """How a table is laid out."""

    columns: Columns
    header: TableRow | None
    rows: Sequence[TableRow]
    """What stands below the header."""


def layout_of(document: Document) -> Layout | None:
    """How a table is laid out; None if no columns are known to be starts and labels."""
    table, told = document.table, document.columns
    for place, row in enumerate(table[:PREAMBLE]):
        if (columns := columns_of(row.cells, told)) is None:
            continue
        if time(row.cells, columns.start) is not None:  # numbers of columns, of a table without names
            return Layout(columns, None, table[place:])
        below = table[place + 1 :]
        if below and _names_ends(below[0].cells):  # as below a merged cell "Time"
            names = [own or above for own, above in zip_longest(below[0].cells, row.cells, fillvalue="")]
            row, *below = below[0]._replace(cells=names), *below[1:]
            columns = columns_of(names, told) or columns
        if below and is_unit(cell(below[0].cells, columns.start.place)):
            units, *below = below
            columns = columns_of(row.cells, told, units.cells) or columns
        return Layout(columns, row, below)
    if told or (found := roles_of_content([row.cells for row in table])) is None:
        return None
    columns = columns_of(table[0].cells, {role: str(place + 1) for role, place in found.items()})
    return None if columns is None else Layout(columns, None, table)


def _names_ends(cells: Sequence[str]) -> bool:
    """Whether a row holds nothing but names of starts and of ends or durations."""
    roles = {role for name, role in zip(cells, roles_of_names(cells), strict=True) if name}
    return {"start", "end"} <= roles <= ENDS or {"start", "duration"} <= roles <= ENDS


def split_times(layout: Layout) -> list[str]:
    """The columns that each hold a part of a time, such as `start min` and `start sec`; none where each holds all."""
    if (header := layout.header) is None:
        return []
    for columns in layout.columns.times:
        found = sorted((one for one in columns if one.unit != "frames"), key=lambda one: PER_SECOND[one.unit])
        for large, small in combinations(found, 2):
            if large.unit != small.unit and _are_parts(layout.rows, large, small):
                return [header.cells[one.place] for one in found]
    return []


def _are_parts(rows: Sequence[TableRow], large: Column, small: Column) -> bool:
    """Whether the small unit never reaches one of the large, of which there are some."""
    one = 1 / PER_SECOND[large.unit]
    times = [(time(row.cells, large) or 0.0, time(row.cells, small) or 0.0) for row in rows]
    return any(first >= one for first, _ in times) and all(second < one for _, second in times)


def ends_in_rows(layout: Layout) -> str | None:
    """The column that says of each row whether an action starts or stops there, where rows have no ends; else None."""
    columns, header = layout.columns, layout.header
    if columns.end or columns.duration or header is None:
        return None
    for place, name in enumerate(header.cells):
        held = {cell(row.cells, place).casefold() for row in layout.rows} - {""}
        if place != columns.label and held <= STARTS | STOPS | POINTS and held & STARTS and held & STOPS:
            return name
    return None


def names_of(columns: Columns) -> list[str]:
    """What the columns are that are read, in their order."""
    return [role for role, _ in sorted(columns.others, key=lambda one: one[1])]


def may_be_ends(layout: Layout) -> list[str]:
    """Columns that are not read, of times after the starts, where neither ends nor durations are known."""
    columns, header = layout.columns, layout.header
    if columns.end or columns.duration or header is None:
        return []
    known = {columns.start.place, *(place for _, place in columns.others)}
    return [
        name
        for place, name in enumerate(header.cells)
        if place not in known
        and name
        and _never_before(layout.rows, columns.start, replace(columns.start, place=place))
    ]


def _never_before(rows: Sequence[TableRow], start: Column, end: Column) -> bool:
    """Whether all rows have both times, and the second does not come first."""
    times = [(time(row.cells, start), time(row.cells, end)) for row in rows]
    return bool(rows) and all(one is not None and other is not None and one <= other for one, other in times)


def why_none(document: Document) -> str:
    """What a table lacks to be one of labels, and how to say it."""
    header = document.table[0].cells
    if document.columns:
        missing = [name for name in document.columns.values() if place_of(name, header) is None]
        needed = [role for role in ("start", "label") if role not in document.columns]
        if missing:
            return f"no column {missing[0]!r}{nearest(missing[0], header)}; there are {listed(header, 10)}"
        return f"--columns says nothing of {' and '.join(needed)}; there are {listed(header, 10)}"
    what = "no format of labels that is known, nor are the columns of starts and labels"
    return f"{what}: say which they are, by names or by numbers from 1, as in --columns {_example(document)}"


def _example(document: Document) -> str:
    """What the user may say of the columns, as their content suggests."""
    header, *rows = [row.cells for row in document.table]
    if lacking := _lacking(header, rows):
        return shlex.quote(f"label={lacking}")
    numbers = [str(place) for place in range(1, max(map(len, (header, *rows))) + 1)]
    for names, below in ((numbers, [header, *rows]), ([*header, *numbers[len(header) :]], rows)):
        if likely := roles_of_content(below, likely=True):
            return " ".join(shlex.quote(f"{role}={names[place]}") for role, place in likely.items())
    return "video=NAME start=NAME end=NAME label=NAME"


def _lacking(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """The one column that may be the label, where the header names the times and no label."""
    roles = roles_of_names(header)
    if "start" not in roles or "label" in roles:
        return None
    texts = [
        name
        for place, (name, role) in enumerate(zip(header, roles, strict=True))
        if role is None and name and rows and all(_is_text(cell(row, place)) for row in rows)
    ]
    return texts[0] if len(texts) == 1 else None


def _is_text(value: str) -> bool:
    return bool(value) and seconds(value) is None


def cell(cells: Sequence[str], place: int | None) -> str:
    """What stands in a column, nothing where the row has none."""
    return cells[place] if place is not None and place < len(cells) else ""


def time(cells: Sequence[str], column: Column) -> float | None:
    """Seconds, or frames; None where it cannot be read. What a clock says is seconds, whatever the column is in."""
    text = cell(cells, column.place)
    value = seconds(text)
    if value is None or column.form == "ff" or (column.form and not is_clock(text)):
        return None
    if is_clock(text):
        return value * 60 if column.form == "hh:mm" and text.count(":") == 1 else value
    return value / PER_SECOND[column.unit]
