"""Labels of VIA 3: a segment [start, end] or a still frame [time] in seconds, with values of attributes.

A value of an attribute with options is the option's id. A layer is an attribute.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from actionformer.core.errors import InputError
from actionformer.core.files import parse_json
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number

CHOICES = (2, 3, 4)
"""Types of attributes whose values are ids of options: checkbox, radio, select."""
SCORE = "score"
"""The attribute that is no label: how much a detector believed in it."""
NO_TIME = "metadata of a whole file, without a time, are left out"
NO_VALUE = "a segment without a value of any attribute is left out"


class Marked(NamedTuple):
    """What was marked in a file."""

    file: str
    times: list[float]
    """Start and end, or the time of a still frame; of a whole file none."""
    values: Mapping[str, Any]
    """Attribute -> value."""
    where: str


def holds_labels(document: Document) -> bool:
    """Whether it is a project or an export of one."""
    content = document.json
    if isinstance(content, dict):
        return all(isinstance(content.get(key), dict) for key in ("metadata", "attribute", "file", "view"))
    return _csv_header(document) is not None


def read_labels(document: Document) -> LabelFile:
    """What was marked in all files."""
    remarks = list(_repeated(document))
    videos: dict[str, list[LabelledSegment]] = {}
    partly: set[str] = set()
    marked = _of_project(document) if isinstance(document.json, dict) else _of_table(document)
    for one in marked:
        segments = videos.setdefault(one.file, [])
        if not one.times:
            remarks.append(Remark(NO_TIME, one.where))
            continue
        labels = [(name, text) for name, value in one.values.items() if name != SCORE for text in _texts(value) if text]
        if not labels:
            remarks.append(Remark(NO_VALUE, one.where))
            partly.add(one.file)
        segments += [LabelledSegment(one.times[0], one.times[-1], text, one.where, name) for name, text in labels]
    found = [LabelledVideo(name, segments, complete=name not in partly) for name, segments in videos.items()]
    return LabelFile(found, remarks)


def _repeated(document: Document) -> Iterator[Remark]:
    """A remark for each name that several files of a project have."""
    files = document.json["file"] if isinstance(document.json, dict) else {}
    counts = Counter(str(one.get("fname")) for one in files.values() if one.get("fname"))
    for name, count in counts.items():
        if count > 1:
            yield Remark(
                f"{count} files are called {name!r}, and are taken for one video: rename them", document.where()
            )


def _texts(value: Any) -> list[str]:
    """A value as text; of several that were ticked all."""
    values = value if isinstance(value, list) else [value]
    return [" ".join(str(one).split()) for one in values if one not in (None, False)]


def _of_project(document: Document) -> Iterator[Marked]:
    content: Mapping[str, Any] = document.json
    for id_, one in content["metadata"].items():
        view = content["view"].get(str(one.get("vid")), {})
        file = content["file"].get(str(next(iter(view.get("fid_list", ())), "")), {})
        name = str(file.get("fname") or file.get("src") or document.stem)
        times = [time for time in map(number, one.get("z") or ()) if time is not None]
        yield Marked(name, times, _named(one.get("av") or {}, content["attribute"]), document.where(item=id_))


def _named(values: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Name of an attribute -> value, options as their names."""
    named: dict[str, Any] = {}
    for id_, value in values.items():
        attribute = attributes.get(id_, {})
        options = attribute.get("options") or {}
        value = attribute.get("default_option_id") if value == "_DEFAULT" else value
        if attribute.get("type") in CHOICES and options and isinstance(value, str):
            parts = [value] if value in options else value.split(",")
            value = [options.get(one, one) for one in parts]
        named[str(attribute.get("aname", id_))] = value
    return named


def _csv_header(document: Document) -> list[str] | None:
    """The columns that a comment names."""
    lines = (line for line in document.lines[:50] if line.startswith("#") and "CSV_HEADER" in line)
    found = next(lines, None)
    return None if found is None else [name.strip() for name in found.partition("=")[2].split(",")]


def _of_table(document: Document) -> Iterator[Marked]:
    header, attributes = _csv_header(document) or [], _attributes(document)
    rows = csv.reader(io.StringIO("".join(f"{line}\n" for line in document.lines if not line.startswith("#"))))
    for number_, cells in enumerate(rows, 1):
        row = dict(zip(header, cells, strict=False))
        where = document.where(item=f"row {number_}")
        files = _decoded(row.get("file_list"), [])
        values = _decoded(row.get("metadata"), {})
        times = row.get("temporal_coordinates")
        ends = _decoded(times, []) if times is not None else [row.get("temporal_segment_start"), _end(row)]
        name = str(next(iter(files), "")) if isinstance(files, list) else str(files)
        if name:
            found = [time for time in map(number, ends) if time is not None]
            yield Marked(name, found, _named(values, attributes), where)


def _end(row: Mapping[str, str]) -> str | None:
    """The end of a segment; a still frame has none."""
    end = row.get("temporal_segment_end")
    return None if end == "undefined" else end


def _attributes(document: Document) -> dict[str, Any]:
    line = next((one for one in document.lines[:50] if one.startswith("#") and "ATTRIBUTE" in one), "")
    found = _decoded(line.partition("=")[2], {})
    return found if isinstance(found, dict) else {}


def _decoded(text: str | None, otherwise: Any) -> Any:
    """The JSON in a cell; where it is none, the text."""
    try:
        return parse_json(text, "") if text and text.strip() else otherwise
    except InputError:
        return text.strip() if text and otherwise == [] else otherwise
