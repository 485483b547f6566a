"""Parquet: a row per video, with its id, the file that was searched, and a list of {label, score, start, end}."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError, missing_extra, reason_of
from actionformer.core.names import check_name
from actionformer.formats.rows import Columns, VideoRows, checked_row, columns_of_rows

GROUP = 1_000
"""Videos that are in memory together."""
COLUMNS = ("video", "detections")
"""What is read."""


def results_bytes(results: Iterable[VideoRows]) -> Iterator[bytes]:
    """A file of many videos, group by group.

    Raises:
        InputError: a name that no text can hold.
    """
    arrow, parquet = _pyarrow("writing Parquet")
    numbers = [(name, arrow.float64()) for name in ("score", "start", "end")]
    actions = arrow.list_(arrow.struct([("label", arrow.string()), *numbers]))
    schema = arrow.schema([("video", arrow.string()), ("source", arrow.string()), ("detections", actions)])
    sink, results = _Sink(), iter(results)
    with parquet.ParquetWriter(sink, schema) as writer:
        while group := [_row(one) for one in islice(results, GROUP)]:
            writer.write_table(arrow.Table.from_pylist(group, schema))
            yield sink.taken()
    yield sink.taken()


def _row(one: VideoRows) -> dict[str, Any]:
    check_name(one.video, "the id of a video")
    for label in {row["label"] for row in one.rows}:
        check_name(label, "label")
    actions = [
        {"label": row["label"], "score": row["score"], "start": row["segment"][0], "end": row["segment"][1]}
        for row in one.rows
    ]
    return {"video": one.video, "source": one.source, "detections": actions}


class _Sink(io.RawIOBase):
    """A file that hands over what has been written and goes on."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, content: Any) -> int:
        """Keeps some bytes."""
        self._pieces.append(bytes(content))
        self._size += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        """Bytes so far."""
        return self._size

    def taken(self) -> bytes:
        """What was written since the last call."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def read_results(path: str | Path) -> dict[str, Columns]:
    """The detections of a file, by video.

    Raises:
        InputError: no Parquet, other columns, a value that cannot be, or a video that has two rows.
    """
    arrow, parquet = _pyarrow(f"{path}: reading Parquet")
    found: dict[str, Columns] = {}
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if not set(COLUMNS) <= set(names):
                raise InputError(f"{path}: expected columns {' and '.join(COLUMNS)}, found {', '.join(names)}")
            rows = [row for batch in file.iter_batches(columns=list(COLUMNS)) for row in batch.to_pylist()]
    except (arrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot read Parquet ({reason_of(error)})") from error
    for number, row in enumerate(rows, 1):
        video, where = row["video"], f"{path}: row {number}"
        if not isinstance(video, str) or not isinstance(row["detections"], list):
            raise InputError(f"{where}: expected the id of a video and a list of detections, found {row!r:.60}")
        if video in found:
            raise InputError(f"{where}: video {video!r} has an earlier row, keep one of them")
        found[video] = columns_of_rows(_checked(one, f"{where}: video {video!r}") for one in row["detections"])
    return found


def _checked(one: Any, where: str) -> tuple[str, float, float, float]:
    values = one if isinstance(one, dict) else {}
    return checked_row(values.get("label"), values.get("start"), values.get("end"), values.get("score"), where)


def _pyarrow(purpose: str) -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise missing_extra("pyarrow", "parquet", purpose) from error
    return pyarrow, parquet
