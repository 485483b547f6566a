"""A table for people, detections of a video in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actionformer.core.detections import in_time
from actionformer.core.terminal import WIDEST, TextTable, rendered, visible
from actionformer.formats.rows import VideoRows


def results_table(results: Iterable[VideoRows]) -> TextTable:
    """The detections of many videos."""
    table = TextTable("video", "start", "end", "label", "score", cut=("video", "label"))
    for video, rows, *_ in results:
        for row in in_time(rows):
            start, end = row["segment"]
            table.add_row(video, f"{start:.2f}", f"{end:.2f}", row["label"], f"{row['score']:.3f}")
    return table


def results_text(results: Iterable[VideoRows]) -> Iterable[str]:
    """A file of many videos, in which no name is cut."""
    return [rendered(results_table(results), WIDEST)]


def stream_header() -> str:
    """The first line of a live source."""
    return f"{'start':>10} {'end':>10} {'score':>6}  label"


def action_line(action: Mapping[str, Any], source: str) -> str:
    """The line of an action {"label", "start", "end", "score"} in a live source, which it does not name."""
    start, end, score = (action[name] for name in ("start", "end", "score"))
    return f"{start:10.2f} {end:10.2f} {score:6.3f}  {visible(action['label'])}"
