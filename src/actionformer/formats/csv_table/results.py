"""CSV with a header, a detection per row, rows in the order of time; seconds with three decimals."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from actionformer.core.detections import in_time
from actionformer.core.errors import InputError
from actionformer.core.files import read_text
from actionformer.core.names import check_name
from actionformer.formats.rows import Columns, Row, VideoRows, checked_row, columns_of_rows

FIELDS = ("video", "label", "start", "end", "score")


def results_text(results: Iterable[VideoRows]) -> Iterator[str]:
    """A file of many videos, video by video."""
    yield f"{_line(FIELDS)}\n"
    for video, rows, *_ in results:
        for row in in_time(rows):
            start, end = row["segment"]
            yield f"{_detection_line(video, start, end, row)}\n"


def stream_header() -> str:
    """The first line of a live source."""
    return _line(FIELDS)


def action_line(action: Mapping[str, Any], source: str) -> str:
    """The line of an action {"label", "start", "end", "score"} in a live source."""
    return _detection_line(source, action["start"], action["end"], action)


def _detection_line(video: str, start: float, end: float, row: Mapping[str, Any]) -> str:
    return _line((video, row["label"], f"{start:.3f}", f"{end:.3f}", f"{row['score']:.6g}"))


def _line(values: Iterable[Any]) -> str:
    r"""A row of CSV without its end, which is `\n`; a text with any line break in it is quoted."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(values)  # it quotes what holds one of these two
    return text.getvalue()[:-2]


def read_results(path: str | Path) -> dict[str, Columns]:
    """The detections of a file, by video.

    Raises:
        InputError: a broken file or row.
    """
    return {video: columns_of_rows(rows) for video, rows in _rows(path).items()}


def _rows(path: str | Path) -> dict[str, list[Row]]:
    lines = _lines(path)
    header = tuple(name.strip() for name in next(lines)[1])
    if header != FIELDS:
        raise InputError(f"{path}: expected the header {','.join(FIELDS)}, found {','.join(header)!r:.80}")
    rows: dict[str, list[Row]] = {}
    for where, values in lines:
        if not values:
            continue
        if len(values) != len(FIELDS):
            raise InputError(f"{where}: expected {len(FIELDS)} values, found {len(values)}")
        video, label, *numbers = values
        check_name(video, f"{where}: the id of a video")
        start, end, score = (_number(text, where) for text in numbers)
        rows.setdefault(video, []).append(checked_row(label, start, end, score, where))
    return rows


def _lines(path: str | Path) -> Iterator[tuple[str, list[str]]]:
    """Where each row of a CSV file ends, for messages, and its values."""
    lines = csv.reader(io.StringIO(read_text(path), newline=""))
    while True:
        try:
            values = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{path}: line {lines.line_num}: not valid CSV ({error})") from error
        yield f"{path}: line {lines.line_num}", values


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{where}: expected a number, found {text!r:.60}") from error
