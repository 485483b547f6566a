"""AVA: `video,second,x1,y1,x2,y2,action,person` a row without a header; a row labels the second around its time.

Rows of one person and action in consecutive seconds are one segment. Actions are numbers, which the list of actions
(.pbtxt) beside the file names. A person without an action has an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number

LISTS = ("ava_action_list_v2.2.pbtxt", "ava_action_list_v2.2_for_activitynet_2019.pbtxt",
         "ava_action_list_v2.1_for_activitynet_2018.pbtxt", "action_list.pbtxt", "action_list.txt")  # fmt: skip
_ITEM = re.compile(r'\bname:\s*"([^"]*)"\s*(?:label_)?id:\s*(\d+)')
_TIME = re.compile(r"\d+(?:\.\d+)?")
Key = tuple[str, str, str]
"""Video, person, action."""


def holds_labels(document: Document) -> bool:
    """Whether every row is a second, a box, an action and a person."""
    return bool(document.table) and all(_is_row(row.cells) for row in document.table)


def read_labels(document: Document) -> LabelFile:
    """A segment for each stretch of seconds."""
    names, times, lines = _names(document), dict[Key, list[float]](), dict[tuple[Key, float], int]()
    videos: dict[str, list[LabelledSegment]] = {}
    for line, cells in document.table:
        videos.setdefault(cells[0], [])
        if cells[6]:
            key = (cells[0], cells[7], cells[6])
            times.setdefault(key, []).append(float(cells[1]))
            lines.setdefault((key, float(cells[1])), line)
    for key, seconds in times.items():
        for start, end in _stretches(sorted(set(seconds))):
            where, label = document.where(lines[key, start]), names.get(key[2], key[2])
            videos[key[0]].append(LabelledSegment(max(start - 0.5, 0.0), end + 0.5, label, where, key[1]))
    used = {key[2] for key in times}
    return LabelFile([LabelledVideo(name, found) for name, found in videos.items()], _remarks(document, used, names))


def _is_row(cells: Sequence[str]) -> bool:
    if len(cells) != 8 or not _TIME.fullmatch(cells[1]) or number(cells[0]) is not None:
        return False
    box = [number(cell) for cell in cells[2:6]]
    return None not in box and all(not cell or cell.isdigit() for cell in cells[6:])


def _stretches(seconds: Sequence[float]) -> Iterator[tuple[float, float]]:
    """First and last of the seconds that follow one another."""
    start = last = seconds[0]
    for second in seconds[1:]:
        if second - last > 1:
            yield start, last
            start = second
        last = second
    yield start, last


def _names(document: Document) -> Mapping[str, str]:
    found = document.beside(*LISTS)
    return {match[2]: match[1] for match in _ITEM.finditer(found.text)} if found is not None else {}


def _remarks(document: Document, used: set[str], names: Mapping[str, str]) -> list[Remark]:
    what = f"an action has a number and no name: put the list of actions beside the file, called {LISTS[0]}"
    return [Remark(what, document.where(item=f"action {one}")) for one in sorted(used - names.keys())]
