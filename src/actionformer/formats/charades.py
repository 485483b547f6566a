"""Charades' CSV: a row a video, with its actions as `c077 12.10 18.00;c079 11.80 17.30`, seconds.

`Charades_v1_classes.txt` beside the file names the classes. The file's name tells the subset.
"""

from __future__ import annotations

import re

from actionformer.formats.class_list import class_list
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number

LIST = "Charades_v1_classes.txt"
SUBSETS = {"train": "training", "test": "test"}
_ACTION = re.compile(r"(c\d+) (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)")


def holds_labels(document: Document) -> bool:
    """Whether it has the columns, and actions are written so."""
    header = document.header
    if not {"id", "actions", "length"} <= set(header):
        return False
    column = header.index("actions")
    cells = [row.cells[column] for row in document.table[1:] if column < len(row.cells)]
    return all(_ACTION.fullmatch(action.strip()) for cell in cells for action in cell.split(";") if action.strip())


def read_labels(document: Document) -> LabelFile:
    """The actions of every video."""
    names = class_list(document, LIST)
    id_, actions, length = (document.header.index(name) for name in ("id", "actions", "length"))
    subset = next((subset for part, subset in SUBSETS.items() if part in document.stem), None)
    videos, used = [], dict[str, str]()
    for line, cells in document.table[1:]:
        found = [one for action in cells[actions].split(";") if (one := _ACTION.fullmatch(action.strip()))]
        used |= {one[1]: names.get(one[1], one[1]) for one in found}
        segments = [LabelledSegment(float(one[2]), float(one[3]), used[one[1]], document.where(line)) for one in found]
        videos.append(LabelledVideo(cells[id_], segments, duration=number(cells[length]), subset=subset))
    what = f"a class has a code and no name: put {LIST} beside the file"
    remarks = [Remark(what, document.where(item=one)) for one in sorted(used) if one not in names]
    return LabelFile(videos, remarks, list(names.values()) or [used[code] for code in sorted(used)])
