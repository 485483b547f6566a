"""Scores of whole videos, which give the proposals of a class-agnostic model their classes; files as published.

JSON `{"results": {video: [a score per class]}, "class": [names]}`: CUHK's for ActivityNet (`cuhk_val_simp_share.json`).
TCANet's for HACS (`validation94.32.json`): the same with a list of one list per video, of logits: their softmax counts.
NumPy (N, 101): UntrimmedNet's for THUMOS14 (`uNet_test.npy`), a row per test video, a column per class of UCF-101.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, warn
from actionformer.core.files import read_json
from actionformer.core.names import check_name, matched, nearest
from actionformer.core.words import plural

THUMOS14 = {
    "BaseballPitch": 7,
    "BasketballDunk": 9,
    "Billiards": 12,
    "CleanAndJerk": 21,
    "CliffDiving": 22,
    "CricketBowling": 23,
    "CricketShot": 24,
    "Diving": 26,
    "FrisbeeCatch": 31,
    "GolfSwing": 33,
    "HammerThrow": 36,
    "HighJump": 40,
    "JavelinThrow": 45,
    "LongJump": 51,
    "PoleVault": 68,
    "Shotput": 79,
    "SoccerPenalty": 85,
    "TennisSwing": 92,
    "ThrowDiscus": 93,
    "VolleyballSpiking": 97,
}
"""Class -> its number in UCF-101, from 1."""
UCF_CLASSES = 101
ROUNDING = 1e-3
"""By which a probability may lie above 1."""


@dataclass(frozen=True, eq=False)
class VideoScores:
    """What a classifier says of whole videos."""

    class_names: tuple[str, ...]
    scores: Mapping[str, NDArray[np.float64]]
    """Video -> (K,) a score per class, at least 0."""
    source: str
    """The file, for messages."""
    prefix: str = ""
    """What videos may begin with in the file."""

    def of(self, video: str) -> NDArray[np.float64]:
        """The scores of a video.

        Raises:
            InputError: there are none; the nearest video is named.
        """
        for name in matched([video, f"{self.prefix}{video}"], self.scores).values():
            return self.scores[name]
        near = nearest(video, [name.removeprefix(self.prefix) for name in self.scores])
        raise InputError(f"{self.source}: no scores of video {video!r}{near}")


def scores_for(path: str | Path | None, class_names: Sequence[str], prefix: str) -> VideoScores | None:
    """The scores that a model's proposals are fused with; None without a file.

    Args:
        path: the file.
        class_names: of the model.
        prefix: see `read_video_scores`.

    Raises:
        InputError: (also the function below) the model has classes of its own, or the file cannot be used.
    """
    if path is None:
        return None
    if len(class_names) > 1:
        raise InputError(
            f"{path}: scores of videos give proposals of one class their classes, this model has {len(class_names)} of "
            "its own: leave --video-scores out"
        )
    return read_video_scores(path, prefix)


def read_video_scores(path: str | Path, prefix: str = "") -> VideoScores:
    """The scores of a file.

    Args:
        path: the file.
        prefix: what ids in the file may begin with and others do without, such as `v_`.
    """
    found = _of_thumos14(path) if Path(path).suffix.lower() == ".npy" else _of_json(path, prefix)
    highest = max((row.max() for row in found.scores.values()), default=0.0)
    if highest > 1 + ROUNDING:
        warn(
            f"{path}: scores of videos reach {highest:g}, which takes detections above 1, where no threshold fits: "
            "make them probabilities (of percent a hundredth, of logits the softmax)",
            stacklevel=3,
        )
    return found


def _of_json(path: str | Path, prefix: str) -> VideoScores:
    content = read_json(path)
    results, names = (content.get(key) if isinstance(content, dict) else None for key in ("results", "class"))
    if not isinstance(results, dict) or not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise InputError(f"{path}: expected {{'results': {{video: [scores]}}, 'class': [names]}}")
    if not names:
        raise InputError(f"{path}: 'class' is an empty list: name the class of each score")
    for name in names:
        check_name(name, f"{path}: a name of 'class'")
        if names.count(name) > 1:
            raise InputError(f"{path}: 'class' names {name!r} twice: which score is meant cannot be told")
    scores = {name: _scores(one, len(names), path, name) for name, one in results.items()}
    return VideoScores(tuple(names), scores, str(path), prefix)


def _scores(values: Any, classes: int, path: str | Path, video: str) -> NDArray[np.float64]:
    """The scores of a video; of a list of one list the softmax."""
    try:
        logits = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        logits = np.empty(0)
    if logits.shape == (1, classes) and np.isfinite(logits).all():
        powers = np.exp(logits[0] - logits.max())
        return _checked(powers / powers.sum(), classes, path, video)
    return _checked(values, classes, path, video)


def _checked(values: Any, classes: int, path: str | Path, video: str) -> NDArray[np.float64]:
    try:
        scores = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        scores = np.empty(0)
    if scores.shape != (classes,) or not (np.isfinite(scores) & (scores >= 0)).all():
        raise InputError(
            f"{path}: video {video!r}: expected {plural(classes, 'number')} of at least 0, found {values!r:.60}"
        )
    return scores


def _of_thumos14(path: str | Path) -> VideoScores:
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot read ({error})") from error
    if rows.ndim != 2 or rows.shape[1] != UCF_CLASSES:
        raise InputError(
            f"{path}: expected (N, {UCF_CLASSES}) scores of the test videos of THUMOS14, found {rows.shape}"
        )
    columns = [number - 1 for number in THUMOS14.values()]
    videos = {f"video_test_{number:07d}": row for number, row in enumerate(rows[:, columns], 1)}
    scores = {video: _checked(row, len(columns), path, video) for video, row in videos.items()}
    return VideoScores(tuple(THUMOS14), scores, str(path))
