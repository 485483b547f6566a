"""Detections: scored, labelled segments of one video, and the files that hold those of many."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.errors import InputError
from actionformer.files import read_json, read_text, write_whole
from actionformer.names import check_name, known_name, matched, nearest
from actionformer.segments import LATEST, check_times
from actionformer.terminal import TextTable

CSV_HEADER = ("video", "label", "start", "end", "score")


def _no_levels() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Detections:
    """The actions found in one video, best first.

    Arrays are copied and sorted by score; among equal scores the given order stays.

    Raises:
        InputError: shapes that do not fit, numbers that are not finite, an end before its start, or a label
            that is no index into `class_names`.
    """

    segments: NDArray[np.float64]
    """(N, 2) starts and ends, seconds."""
    scores: NDArray[np.float64]
    """(N,)"""
    labels: NDArray[np.int64]
    """(N,) indices into `class_names`."""
    class_names: tuple[str, ...]
    """The names of all classes the detector knows."""
    levels: NDArray[np.int64] = field(default_factory=_no_levels)
    """(N,) pyramid level each came from; -1 where unknown, and everywhere if not given."""

    def __post_init__(self) -> None:
        segments = np.asarray(self.segments, dtype=np.float64)
        scores = np.asarray(self.scores, dtype=np.float64)
        labels, levels = np.asarray(self.labels), np.asarray(self.levels)
        n = len(scores) if scores.ndim else 0
        segments = segments.reshape(0, 2) if segments.size == 0 else segments
        levels = np.full(n, -1) if levels.size == 0 else levels
        self._check(segments, scores, labels, levels)
        order = np.argsort(-scores, kind="stable")
        for name, array, dtype in (
            ("segments", segments, np.float64),
            ("scores", scores, np.float64),
            ("labels", labels, np.int64),
            ("levels", levels, np.int64),
        ):
            object.__setattr__(self, name, array[order].astype(dtype))
        object.__setattr__(self, "class_names", tuple(self.class_names))

    def _check(self, segments: NDArray[Any], scores: NDArray[Any], labels: NDArray[Any], levels: NDArray[Any]) -> None:
        n = len(scores) if scores.ndim == 1 else None
        if n is None or segments.shape != (n, 2) or labels.shape != (n,) or levels.shape != (n,):
            raise InputError(
                "detections: expected segments (N, 2), scores, labels and levels (N,), found "
                f"{segments.shape}, {scores.shape}, {labels.shape} and {levels.shape}"
            )
        if not (np.isfinite(segments).all() and np.isfinite(scores).all()):
            raise InputError("detections: segments and scores must be finite numbers")
        for row in np.flatnonzero((segments[:, 1] < segments[:, 0]) | (np.abs(segments) > LATEST).any(axis=1))[:1]:
            start, end = map(float, segments[row])
            check_times(start, end, "detections")
        if n and not np.issubdtype(labels.dtype, np.integer):
            raise InputError(f"detections: labels must be integers, found {labels.dtype}")
        if n and not (labels.min() >= 0 and labels.max() < len(self.class_names)):
            raise InputError(
                f"detections: labels span {labels.min()} to {labels.max()} for {len(self.class_names)} class names"
            )

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        best = "".join(f", best {row['label']!r} {row['score']:.3f}" for row in self[:1].to_dict())
        return f"<{len(self)} detections of {len(self.class_names)} classes{best}>"

    def __getitem__(self, index: int | slice | Sequence[int] | NDArray[Any]) -> Detections:
        """Some of the detections: an index, a slice, an integer array or a boolean mask."""
        rows = np.atleast_1d(np.arange(len(self))[index])
        return Detections(
            self.segments[rows], self.scores[rows], self.labels[rows], self.class_names, self.levels[rows]
        )

    def above(self, score: float) -> Detections:
        """Those with at least this score."""
        return self[self.scores >= score]

    def of(self, label: str | int | Iterable[str | int]) -> Detections:
        """Those of one class or of several, each given by name or id.

        Raises:
            InputError: an unknown class; the nearest known name is given.
        """
        wanted = [label] if isinstance(label, (str, int)) else list(label)
        return self[np.isin(self.labels, [self._label_id(one) for one in wanted])]

    def _label_id(self, label: str | int) -> int:
        if isinstance(label, str):
            return self.class_names.index(known_name(label, self.class_names, "no class"))
        if not 0 <= label < len(self.class_names):
            raise InputError(f"no class {label}: ids run from 0 to {len(self.class_names) - 1}")
        return int(label)

    def to_dict(self) -> list[dict[str, Any]]:
        """`[{"label": name, "score": float, "segment": [start, end]}, ...]`, seconds, best first."""
        rows = zip(self.labels.tolist(), self.scores.tolist(), self.segments.tolist(), strict=True)
        return [
            {"label": self.class_names[label], "score": score, "segment": segment} for label, score, segment in rows
        ]

    def to_json(self, path: str | Path, video_id: str = "video") -> None:
        """Write the ActivityNet results layout, with this one video in it."""
        write_results(path, {video_id: self})

    def to_csv(self, path: str | Path, video_id: str = "video") -> None:
        """Write rows of video, label, start, end (seconds), score."""
        write_csv(path, {video_id: self})


def results_json(detections: Mapping[str, Detections]) -> str:
    """The detections of many videos as ActivityNet results JSON."""
    results = {video: found.to_dict() for video, found in detections.items()}
    return json.dumps({"version": "1.0", "results": results, "external_data": {}}, indent=1) + "\n"


def results_csv(detections: Mapping[str, Detections]) -> str:
    """The detections of many videos as CSV with a header; times in seconds."""
    rows = (
        (video, one["label"], *one["segment"], one["score"])
        for video, found in detections.items()
        for one in found.to_dict()
    )
    return "".join(f"{csv_row(row)}\n" for row in (CSV_HEADER, *rows))


def csv_row(values: Iterable[Any]) -> str:
    r"""A row of CSV without its end, which is `\n`; a text with any line break in it is quoted."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(values)  # it quotes what holds one of these two
    return text.getvalue()[:-2]


def results_table(detections: Mapping[str, Detections]) -> TextTable:
    """The detections of many videos as a table for the terminal, in the order of time."""
    table = TextTable("video", "start", "end", "label", "score")
    for video, found in detections.items():
        for row in found.segments[:, 0].argsort(kind="stable"):
            start, end = found.segments[row]
            label = found.class_names[found.labels[row]]
            table.add_row(video, f"{start:.2f}", f"{end:.2f}", label, f"{found.scores[row]:.3f}")
    return table


def write_results(path: str | Path, detections: Mapping[str, Detections]) -> None:
    """Write the detections of many videos as ActivityNet results JSON, whole or not at all."""
    write_whole(path, results_json(detections))


def write_csv(path: str | Path, detections: Mapping[str, Detections]) -> None:
    """Write the detections of many videos as CSV with a header, whole or not at all."""
    write_whole(path, results_csv(detections))


def read_results(path: str | Path, class_names: Sequence[str] | None = None) -> dict[str, Detections]:
    """Read detections written by `write_results` or `write_csv`, or by another program in those layouts.

    Args:
        path: ActivityNet results JSON, or a file ending in `.csv` with a header video,label,start,end,score.
        class_names: names that labels are indices into; without them, the file's own labels, sorted.

    Returns:
        video -> Detections, all with the same `class_names`.

    Raises:
        InputError: a broken file or entry, or a label that is not in `class_names`.
    """
    rows = _csv_rows(path) if Path(path).suffix.lower() == ".csv" else _json_rows(path)
    labels = {label for found in rows.values() for label, *_ in found}
    names = tuple(class_names or sorted(labels))
    own = {label: names.index(name) for label, name in matched(labels, names).items()}
    for video, found in rows.items():
        for label, *_ in found:
            if label not in own:
                raise InputError(f"{path}: video {video!r}: no class {label!r}{nearest(label, names)}")
    return {
        video: Detections(
            segments=np.array([row[1:3] for row in found], dtype=np.float64).reshape(-1, 2),
            scores=np.array([row[3] for row in found], dtype=np.float64),
            labels=np.array([own[row[0]] for row in found], dtype=np.int64),
            class_names=names,
        )
        for video, found in rows.items()
    }


Row = tuple[str, float, float, float]
"""Label, start and end in seconds, score."""


def _json_rows(path: str | Path) -> dict[str, list[Row]]:
    content = read_json(path)
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict):
        raise InputError(f"{path}: no 'results' object; expected {{'results': {{video: [detections]}}}}")
    rows: dict[str, list[Row]] = {}
    for video, found in results.items():
        check_name(video, f"{path}: the id of a video")
        if not isinstance(found, list):
            raise InputError(f"{path}: video {video!r}: expected a list of detections, found {found!r:.60}")
        rows[video] = [_json_row(one, f"{path}: video {video!r}, detection {i}") for i, one in enumerate(found)]
    return rows


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
