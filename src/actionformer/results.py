"""Results files: the detections of many videos as ActivityNet JSON, as JSON Lines and as CSV, written and read.

What is written comes video by video, so that it need not be in memory together. Rows of a video are as
`Detections.to_dict` gives them: {"label", "score", "segment": [start, end]}, seconds.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError, warn
from actionformer.core.files import parse_json, read_json, read_text
from actionformer.core.names import check_name
from actionformer.core.segments import check_times
from actionformer.large_results import Columns, columns_of, read_plain

CSV_HEADER = ("video", "label", "start", "end", "score")
Rows = list[dict[str, Any]]
Row = tuple[str, float, float, float]
"""Label, start and end in seconds, score."""


def json_text(results: Iterable[tuple[str, Rows]]) -> Iterator[str]:
    """ActivityNet results JSON, video by video."""
    yield '{\n "version": "1.0",\n "results": {'
    before = ""
    for video, rows in results:
        yield f"{before}\n  {json.dumps(video)}: {json.dumps(rows, indent=1).replace(chr(10), chr(10) + '  ')}"
        before = ","
    yield ("\n }" if before else "}") + ',\n "external_data": {}\n}\n'


def csv_text(results: Iterable[tuple[str, Rows]]) -> Iterator[str]:
    """CSV with a header, video by video, rows in the order of time; seconds with three decimals."""
    yield f"{csv_row(CSV_HEADER)}\n"
    for video, rows in results:
        for row in in_time(rows):
            yield f"{csv_line(video, row)}\n"


def jsonl_line(video: str, source: str, rows: Rows) -> str:
    """A line of JSON Lines: {"video", "source", "detections"}."""
    return json.dumps({"video": video, "source": source, "detections": rows}) + "\n"


def in_time(rows: Rows) -> Rows:
    """Rows in the order of time."""
    return sorted(rows, key=lambda row: (*row["segment"], -row["score"]))


def csv_line(video: str, row: dict[str, Any]) -> str:
    """A detection as a row of CSV, without its end."""
    start, end = row["segment"]
    return csv_row((video, row["label"], f"{start:.3f}", f"{end:.3f}", f"{row['score']:.6g}"))


def csv_row(values: Iterable[Any]) -> str:
    r"""A row of CSV without its end, which is `\n`; a text with any line break in it is quoted."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(values)  # it quotes what holds one of these two
    return text.getvalue()[:-2]


def read_columns(path: str | Path) -> dict[str, Columns]:
    """The detections of a results file, by video; its ending tells the format: .jsonl, .csv, else JSON.

    Raises:
        InputError: a broken file or row.
    """
    ending = Path(path).suffix.lower()
    if ending not in ROWS and os.path.isfile(path) and (plain := read_plain(path)) is not None:
        return plain
    return {video: _columns(rows) for video, rows in ROWS.get(ending, _json_rows)(path).items()}


def _columns(rows: list[Row]) -> Columns:
    return columns_of([row[0] for row in rows], [end for row in rows for end in row[1:3]], [row[3] for row in rows])


def _json_rows(path: str | Path) -> dict[str, list[Row]]:
    content = read_json(path)
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict):
        raise InputError(f"{path}: no 'results' object; expected {{'results': {{video: [detections]}}}}")
    return {video: _video_rows(video, found, f"{path}: ") for video, found in results.items()}


def _jsonl_rows(path: str | Path) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path}: cannot read (a pipe, a device or a folder, expected a file)")
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n") and not _is_whole(line):
                    warn(f"{path}: line {number} is cut, as by a kill, and left out; detect --resume continues it", 4)
                elif line.strip():
                    video, found = line_content(line, f"{path}: line {number}")
                    if video in rows:
                        raise InputError(f"{path}: line {number}: video {video!r} has a line before, keep one of them")
                    rows[video] = _video_rows(video, found, f"{path}: line {number}: ")
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror or error})") from error
    return rows


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def line_content(line: bytes, where: str) -> tuple[str, list[Any]]:
    """The video of a line of JSON Lines, and the list of its detections, which are not looked at.

    Raises:
        InputError: it is none.
    """
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 text (byte {error.start})") from error
    content = parse_json(text, where)
    if not (isinstance(content, dict) and isinstance(content.get("video"), str) and "detections" in content):
        raise InputError(f"{where}: expected {{'video': id, 'detections': [...]}}, found {content!r:.60}")
    return content["video"], _checked_list(content["detections"], f"{where}: video {content['video']!r}")


def _video_rows(video: str, found: Any, where: str) -> list[Row]:
    check_name(video, f"{where}the id of a video")
    rows = _checked_list(found, f"{where}video {video!r}")
    return [_json_row(one, f"{where}video {video!r}, detection {i}") for i, one in enumerate(rows)]


def _checked_list(found: Any, where: str) -> list[Any]:
    if not isinstance(found, list):
        raise InputError(f"{where}: expected a list of detections, found {found!r:.60}")
    return found


def _json_row(one: Any, where: str) -> Row:
    try:
        label, (start, end), score = one["label"], one["segment"], one["score"]
    except (KeyError, TypeError, ValueError) as error:
        expected = "{'label': name, 'score': number, 'segment': [start, end]}"
        raise InputError(f"{where}: expected {expected}, found {one!r:.80}") from error
    return _checked_row(label, start, end, score, where)


def _checked_row(label: Any, start: Any, end: Any, score: Any, where: str) -> Row:
    if not isinstance(label, str) or not label:
        raise InputError(f"{where}: label must be a class name, found {label!r:.60}")
    check_name(label, f"{where}: label")
    for name, value in (("start", start), ("end", end), ("score", score)):
        if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:
            raise InputError(f"{where}: {name} must be a finite number, found {value!r:.60}")
    check_times(start, end, where)
    return label, float(start), float(end), float(score)


def _csv_rows(path: str | Path) -> dict[str, list[Row]]:
    lines = _csv_lines(path)
    header = tuple(name.strip() for name in next(lines)[1])
    if header != CSV_HEADER:
        raise InputError(f"{path}: expected the header {','.join(CSV_HEADER)}, found {','.join(header)!r:.80}")
    rows: dict[str, list[Row]] = {}
    for where, values in lines:
        if not values:
            continue
        if len(values) != len(CSV_HEADER):
            raise InputError(f"{where}: expected {len(CSV_HEADER)} values, found {len(values)}")
        video, label, *numbers = values
        check_name(video, f"{where}: the id of a video")
        start, end, score = (_number(text, where) for text in numbers)
        rows.setdefault(video, []).append(_checked_row(label, start, end, score, where))
    return rows


def _csv_lines(path: str | Path) -> Iterator[tuple[str, list[str]]]:
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


ROWS = {".csv": _csv_rows, ".jsonl": _jsonl_rows}
"""How files are read that are not JSON, by their ending."""
