"""Sleep of the Child Mind Institute's data: `series_id, night, event, step, timestamp`, a row where it begins or ends.

Rows are paired by night. A step is 5 seconds; nights of which it does not say when sleep began or ended are left out.
"""

from __future__ import annotations

from actionformer.formats.document import Document, Record
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number

COLUMNS = {"series_id", "night", "event", "step"}
BEGIN, END = "onset", "wakeup"
LABEL = "sleep"
STEPS_PER_SECOND = 0.2


def holds_labels(document: Document) -> bool:
    """Whether it has the columns of begins and ends."""
    return {name.casefold() for name in document.header} >= COLUMNS


def read_labels(document: Document) -> LabelFile:
    """The sleep of every series, in steps."""
    videos: dict[str, list[LabelledSegment]] = {}
    remarks = []
    for (series, _), rows in _nights(document).items():
        found = videos.setdefault(series, [])
        begin, end = (_step(rows, event) for event in (BEGIN, END))
        where = document.where(rows[0].line)
        if begin is not None and end is not None:
            found.append(LabelledSegment(begin, end, LABEL, where))
        else:
            remarks.append(Remark("a night is left out that has not one onset and one wakeup with a step each", where))
    return LabelFile(
        [LabelledVideo(name, found, "frames", STEPS_PER_SECOND) for name, found in videos.items()], remarks, [LABEL]
    )


def _nights(document: Document) -> dict[tuple[str, str], list[Record]]:
    """Series and night -> the rows of its events."""
    nights: dict[tuple[str, str], list[Record]] = {}
    for row in document.records():
        nights.setdefault((row.cells.get("series_id", ""), row.cells.get("night", "")), []).append(row)
    return nights


def _step(rows: list[Record], event: str) -> float | None:
    """When an event of a night is, unless it has several or does not say."""
    steps = [row.cells.get("step", "") for row in rows if row.cells.get("event", "").casefold() == event]
    return number(steps[0]) if len(steps) == 1 else None
