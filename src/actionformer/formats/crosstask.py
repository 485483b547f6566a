"""CrossTask: `step,start,end` a row without a header, seconds; steps count from 1 in the list of their task.

The file is called `<task>_<video>.csv`. Its `tasks_primary.txt` and the like in the folder above name the steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number

LISTS = ("tasks_primary.txt", "tasks_related.txt")
_NAME = re.compile(r"(\d+)_(.+)")


def holds_labels(document: Document) -> bool:
    """Whether the file is called so, and every row is a step and two times."""
    return bool(_NAME.fullmatch(document.stem) and document.table) and all(
        len(row.cells) == 3 and row.cells[0].isdigit() and None not in map(number, row.cells[1:])
        for row in document.table
    )


def read_labels(document: Document) -> LabelFile:
    """A segment for each row."""
    name = _NAME.fullmatch(document.stem)
    assert name is not None
    steps = _steps(document, name[1])
    segments = [
        LabelledSegment(float(start), float(end), steps.get(step, f"{name[1]} {step}"), document.where(line))
        for line, (step, start, end) in document.table
    ]
    what = f"the steps of a task have no names: put {LISTS[0]} into the folder above"
    remarks = [] if steps else [Remark(what, document.where(item=f"task {name[1]}"))]
    return LabelFile([LabelledVideo(name[2], segments)], remarks)


def _steps(document: Document, task: str) -> Mapping[str, str]:
    """Step -> name. A list has six lines a task: number, name, address, count of steps, the steps, and an empty one."""
    for file in LISTS:
        found = document.beside(file)
        lines = [line.strip() for line in found.lines] if found is not None else []
        if task in lines[::6]:
            names = lines[6 * lines[::6].index(task) + 4].split(",")
            return {str(place): one.strip() for place, one in enumerate(names, 1)}
    return {}
