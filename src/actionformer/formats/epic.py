"""EPIC-Kitchens' CSV: a row an action, which has a verb and a noun; times as `HH:MM:SS.ss`.

The columns of frames count what was extracted, at 60 a second whatever the video has, so they are not read. Classes are
numbers, which the lists beside the file name; the words of the narration are many for one class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from actionformer.core.errors import InputError
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number, seconds

COLUMNS = ("video_id", "start_timestamp", "stop_timestamp", "verb_class", "noun_class")
LISTS = {
    "verb": ("EPIC_100_verb_classes.csv", "EPIC_verb_classes.csv"),
    "noun": ("EPIC_100_noun_classes_v2.csv", "EPIC_100_noun_classes.csv", "EPIC_noun_classes.csv"),
}
VIDEOS = "EPIC_100_video_info.csv"
_SUBSET = re.compile(r"_(train|validation|test)$")
_SUBSETS = {"train": "training", "validation": "validation", "test": "test"}
Cells = Mapping[str, str]
"""A row by the names of its columns."""


def holds_labels(document: Document) -> bool:
    """Whether it has the columns."""
    return set(COLUMNS) <= set(document.header)


def read_labels(document: Document) -> LabelFile:
    """A segment for the verb of every row and one for its noun, each in a layer."""
    names = {layer: _class_names(document, layer) for layer in LISTS}
    segments: dict[str, list[LabelledSegment]] = {}
    remarks = [Remark(f"{layer} classes have numbers and no names: put {files[0]} beside the file", document.where())
               for layer, files in LISTS.items() if not names[layer]]  # fmt: skip
    for line, cells in _rows(document):
        start, end = seconds(cells["start_timestamp"]), seconds(cells["stop_timestamp"])
        found = segments.setdefault(cells["video_id"], [])
        if start is None or end is None:
            remarks.append(Remark("a row without times is left out", document.where(line)))
            continue
        for layer in LISTS:
            label = names[layer].get(cells[f"{layer}_class"], f"{layer} {cells[f'{layer}_class']}")
            found.append(LabelledSegment(start, end, label, document.where(line), layer))
    return LabelFile(_videos(document, segments), remarks)


def _rows(document: Document) -> Iterator[tuple[int, Cells]]:
    for line, cells in document.table[1:]:
        yield line, dict(zip(document.header, [*cells, *[""] * len(document.header)], strict=False))


def _class_names(document: Document, layer: str) -> dict[str, str]:
    return {cells["id"]: cells["key"] for cells in _beside(document, LISTS[layer], ("id", "key"))}


def _beside(document: Document, names: Sequence[str], columns: Sequence[str]) -> list[Cells]:
    """The rows of the first file of these names that lies beside it."""
    if (found := document.beside(*names)) is None:
        return []
    if not set(columns) <= set(found.header):
        raise InputError(
            f"{found.path}: expected the columns {' and '.join(columns)}, found {', '.join(found.header):.80}"
        )
    return [cells for _, cells in _rows(found)]


def _videos(document: Document, segments: Mapping[str, list[LabelledSegment]]) -> list[LabelledVideo]:
    """The videos with what the list of videos beside the file knows of them."""
    known = {cells["video_id"]: cells for cells in _beside(document, [VIDEOS], ("video_id", "duration"))}
    part = _SUBSET.search(document.stem)
    subset = _SUBSETS[part[1]] if part else None
    return [
        LabelledVideo(
            name, one, fps=number(known.get(name, {}).get("fps")),
            duration=number(known.get(name, {}).get("duration")), subset=subset,
        )
        for name, one in segments.items()
    ]  # fmt: skip
