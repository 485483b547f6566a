"""Detections: scored, labelled segments of one video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actionformer.core.errors import InputError
from actionformer.core.names import known_name
from actionformer.core.segments import LATEST, check_times
from actionformer.core.terminal import shortened
from actionformer.core.words import plural

Rows = list[dict[str, Any]]
"""Detections as `Detections.to_dict` gives them: {"label", "score", "segment": [start, end]}, seconds."""
BEST_SHOWN, LABEL_SHOWN = 5, 48  # detections of a `repr`, and columns of their labels


class Action(NamedTuple):
    """One detection."""

    start: float
    """Seconds."""
    end: float
    """Seconds."""
    label: str
    score: float


@dataclass(frozen=True, eq=False, init=False)
class Detections:
    """The actions found in one video, best first: `for start, end, label, score in found`.

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
    levels: NDArray[np.int64]
    """(N,) pyramid level each came from; -1 where unknown, and everywhere if not given."""

    def __init__(
        self,
        segments: ArrayLike,
        scores: ArrayLike,
        labels: ArrayLike,
        class_names: Iterable[str],
        levels: ArrayLike = (),
    ) -> None:
        object.__setattr__(self, "class_names", tuple(class_names))
        segments, scores = np.asarray(segments, dtype=np.float64), np.asarray(scores, dtype=np.float64)
        labels, levels = np.asarray(labels), np.asarray(levels)
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

    def __iter__(self) -> Iterator[Action]:
        """Each of them."""
        for (start, end), label, score in zip(self.segments.tolist(), self.labels, self.scores.tolist(), strict=True):
            yield Action(start, end, self.class_names[label], score)

    def __repr__(self) -> str:
        """How many, and the best few in the order of time."""
        count = f"{plural(len(self), 'detection')} of {plural(len(self.class_names), 'class')}"
        best = self[:BEST_SHOWN].to_dict()
        if len(self) > BEST_SHOWN:
            count += f", the best {BEST_SHOWN}"
        lines = [f"{count}{':' if best else ''}", *([f"{'start':>9} {'end':>9}  score  label"] if best else [])]
        for row in in_time(best):
            start, end = row["segment"]
            lines.append(f"{start:9.2f} {end:9.2f}  {row['score']:.3f}  {shortened(row['label'], LABEL_SHOWN)}")
        return "\n".join(lines)

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

    def to_dict(self) -> Rows:
        """`[{"label": name, "score": float, "segment": [start, end]}, ...]`, seconds, best first."""
        rows = zip(self.labels.tolist(), self.scores.tolist(), self.segments.tolist(), strict=True)
        return [
            {"label": self.class_names[label], "score": score, "segment": segment} for label, score, segment in rows
        ]

    def to_json(self, path: str | Path, video_id: str = "video") -> None:
        """Write the ActivityNet results layout, with this one video in it; `read_results` reads it back."""
        _files().write_results(path, {video_id: self})

    def to_csv(self, path: str | Path, video_id: str = "video") -> None:
        """Write rows of video, label, start, end (seconds), score in the order of time; `read_results` reads it."""
        _files().write_results(path, {video_id: self}, "csv")

    def to_srt(self, path: str | Path) -> None:
        """Write SubRip subtitles: a cue per detection. You may want `above(0.3)` of them."""
        _files().write_video(path, self, "srt")

    def to_vtt(self, path: str | Path) -> None:
        """Write WebVTT subtitles: a cue per detection. You may want `above(0.3)` of them."""
        _files().write_video(path, self, "vtt")

    def to_eaf(self, path: str | Path, media: str | Path | None = None) -> None:
        """Write a document of the annotation tool ELAN: a tier per class.

        Args:
            path: the file.
            media: the video, which ELAN opens with it.
        """
        _files().write_video(path, self, "eaf", Path(media).resolve().as_uri() if media is not None else "")


def in_time(rows: Rows) -> Rows:
    """Rows in the order of time."""
    return sorted(rows, key=lambda row: (*row["segment"], -row["score"]))


def _files() -> Any:
    """Readers and writers of files know this type and stand after it: they are looked up when a file is written."""
    return import_module("actionformer.formats.detections")
