"""Suppression in one dimension: from many overlapping candidates to detections.

Greedy: the best candidate is kept, those that overlap it lose score (Gaussian: Bodla et al., Soft-NMS, ICCV
2017) or are removed (hard), and so on. A candidate's score never rises, so what is kept of a class comes out
best first, and the best of all classes are a lazy merge of these sequences.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.inference.settings import SuppressionSettings

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

LENGTH_MARGIN = np.float32(1e-6)  # added to every length in a tIoU, as in the published implementation
GONE = np.float32(-1.0)  # the score of a candidate that was kept or removed
FIRST, GROWTH = 16, 4
"""At first `FIRST` times as many candidates are ranked as are to be kept, then each time `GROWTH` times as many."""
TINY = np.finfo(np.float32).tiny  # scores below are 0: never kept


class ScoredSegments(NamedTuple):
    """Segments with scores and classes: candidates as they come in, or what suppression keeps, best score first."""

    segments: Floats
    """(M, 2) starts and ends, in the unit of the candidates."""
    scores: Floats
    """(M,) scores after decay."""
    labels: Integers
    """(M,) class of each."""
    index: Integers  # type: ignore[assignment]  # hides tuple.index, of no use here
    """(M,) the candidate that each one came from."""


def suppress(
    segments: Any,
    scores: Any,
    labels: Any,
    settings: SuppressionSettings,
    *,
    wanted: Any = None,
    reported: Any = None,
) -> ScoredSegments:
    """Keep the best candidates of one sequence, at most `max_detections` of them, whatever its length.

    Soft decays scores by exp(-tIoU^2 / sigma) where tIoU is above `soft_from + soft_from_width * length of the better`,
    and ends below `min_score`; hard takes scores above `min_score` and removes from `tiou_threshold` on; none only cuts
    to the best. Arithmetic is float32, as published, so segments belong here in grid steps. Soft and hard never keep a
    score of 0. Of equal scores the lower label, then the earlier start, then the earlier candidate comes first.

    Args:
        segments: (N, 2) starts and ends; arrays or tensors.
        scores: (N,), at least 0.
        labels: (N,) integers.
        settings: how to suppress; their `in_steps` are for segments in grid steps.
        wanted: (N,) bool, by default all: the others suppress, are suppressed and vote, but are not kept.
        reported: (N, 2) what is kept in the place of the segments, and averaged by a vote; by default the segments.

    Raises:
        InputError: shapes that do not fit together, NaN, a negative score, or an end before its start.
    """
    most = settings.max_detections
    return suppress_and_count(
        segments, scores, labels, settings, most=most, worth=math.inf, wanted=wanted, reported=reported
    )[0]


def suppress_and_count(
    segments: Any,
    scores: Any,
    labels: Any,
    settings: SuppressionSettings,
    *,
    most: int,
    worth: float,
    wanted: Any = None,
    reported: Any = None,
) -> tuple[ScoredSegments, int]:
    """`suppress` with `most` in place of `max_detections`, and how many more score `worth` or more.

    Raises:
        InputError: as `suppress`.
    """
    candidates = _checked(segments, scores, labels)
    wanted = np.ones(len(candidates.scores), dtype=bool) if wanted is None else as_array(wanted)
    picks = (pick for pick in _ranked(candidates, settings, first=FIRST * max(most, 1)) if wanted[pick[0]])
    taken = list(islice(picks, min(most, len(wanted))))
    more = sum(1 for _ in takewhile(lambda pick: pick[1] >= worth, picks))
    kept = _take(
        candidates,
        np.array([index for index, _ in taken], dtype=np.int64),
        np.array([score for _, score in taken], dtype=np.float32),
    )
    shown = candidates.segments if reported is None else as_array(reported).astype(np.float32).reshape(-1, 2)
    if settings.method == "none" or settings.per_class or settings.voting_threshold <= 0:
        return kept._replace(segments=shown[kept.index]), more
    return kept._replace(segments=_voted(kept, candidates, shown, settings)), more


def _ranked(candidates: ScoredSegments, settings: SuppressionSettings, first: int) -> Iterator[tuple[int, np.float32]]:
    """All that suppression keeps, best first, each found when it is asked for.

    A candidate changes nothing before it is picked itself. So only the best `first` are ranked, while each pick scores
    more than every candidate that was left out. Then more are ranked.
    """
    known = 0
    for best, left in _growing(candidates, first):
        for pick, score in islice(_all_ranked(best, settings), known, None):
            if score <= left:
                break
            known += 1
            yield int(best.index[pick]), score


def _growing(candidates: ScoredSegments, count: int) -> Iterator[tuple[ScoredSegments, np.float32]]:
    """The best of candidates, about so many, then more and at last all; and the highest score of those left out."""
    scores = candidates.scores
    while count < len(scores):
        split = len(scores) - count - 1
        left = np.partition(scores, split)[split]
        best = np.flatnonzero(scores > left)
        yield _take(candidates, best, scores[best]), left
        count *= GROWTH
    yield candidates, GONE


def _all_ranked(candidates: ScoredSegments, settings: SuppressionSettings) -> Iterator[tuple[int, np.float32]]:
    """The same, by all of these candidates: number and score of each."""
    if settings.method == "none":
        order = np.lexsort((candidates.segments[:, 0], candidates.labels, -candidates.scores))
        return zip(order.tolist(), candidates.scores[order], strict=True)
    picks = (_picks(candidates, group, settings) for group in _groups(candidates, settings))
    return heapq.merge(*picks, key=_score, reverse=True)


class Step(NamedTuple):
    """One pick of a suppression, and what it does to the others."""

    pick: int
    """The candidate that is kept."""
    score: float
    """Its score by now."""
    index: Integers  # type: ignore[assignment]  # as in ScoredSegments
    """(N,) the candidates whose scores it changes."""
    scores: Floats
    """(N,) their scores afterwards; 0 of those it removes."""


def trace(segments: Any, scores: Any, labels: Any, settings: SuppressionSettings) -> list[Step]:
    """What `suppress` does with these arguments, step by step; what it keeps are the picks (before any voting).

    Raises:
        InputError: as `suppress`.
    """
    candidates = _checked(segments, scores, labels)
    if settings.method == "none":
        kept = suppress(segments, scores, labels, settings)
        nothing = np.empty(0, np.int64), np.empty(0, np.float32)
        return [Step(int(index), float(score), *nothing) for index, score in zip(kept.index, kept.scores, strict=True)]
    steps = [_steps(candidates, group, settings) for group in _groups(candidates, settings)]
    return list(islice(heapq.merge(*steps, key=lambda step: step.score, reverse=True), settings.max_detections))


def _steps(candidates: ScoredSegments, group: Integers, settings: SuppressionSettings) -> list[Step]:
    """All picks of one group, best first."""
    changes: list[tuple[Integers, Floats]] = []
    picks = list(_picks(candidates, group, settings, lambda *change: changes.append(change)))
    return [
        Step(index, float(score), changed, np.maximum(lowered, np.float32(0)))
        for (index, score), (changed, lowered) in zip(picks, changes, strict=True)
    ]


def _score(pick: tuple[int, np.float32]) -> np.float32:
    return pick[1]


def _groups(candidates: ScoredSegments, settings: SuppressionSettings) -> list[Integers]:
    """Indices of the candidates that compete: a class each, or all; too low scores left out."""
    enough = np.greater_equal if settings.method == "soft" else np.greater
    index = np.flatnonzero(enough(candidates.scores, np.float32(settings.min_score)))
    if not settings.per_class:
        return [index]
    index = index[np.argsort(candidates.labels[index], kind="stable")]
    return np.split(index, np.flatnonzero(np.diff(candidates.labels[index])) + 1)


class _Neighbours:
    """Segments in order of start, so that those that overlap a given one lie in a narrow range."""

    def __init__(self, segments: Floats) -> None:
        self.order = np.argsort(segments[:, 0], kind="stable")
        self.start, self.end = np.ascontiguousarray(segments[self.order].T)
        self.length = self.end - self.start + LENGTH_MARGIN
        self.latest_end = np.maximum.accumulate(self.end)

    def tiou(self, start: np.float32, end: np.float32) -> tuple[slice, Floats]:
        """A range with all that overlap [start, end], and the tIoU of each in it; beyond it tIoU is 0."""
        near = slice(self.latest_end.searchsorted(start, "right"), self.start.searchsorted(end, "left"))
        shared = np.minimum(self.end[near], end)
        shared -= np.maximum(self.start[near], start)
        np.maximum(shared, np.float32(0), out=shared)
        union = self.length[near] - shared
        union += end - start + LENGTH_MARGIN
        shared /= union
        return near, shared


def _picks(
    candidates: ScoredSegments,
    group: Integers,
    settings: SuppressionSettings,
    watch: Callable[[Integers, Floats], None] | None = None,
) -> Iterator[tuple[int, np.float32]]:
    """Candidates of one group with their scores when they were picked, best first.

    After every pick `watch` is told which candidates have another score now, and which.
    """
    line = _Neighbours(candidates.segments[group])
    group = group[line.order]
    scores = candidates.scores[group]
    least = max(np.float32(settings.min_score), TINY)
    while scores.size:
        best = scores.argmax()
        if (score := scores[best]) < least:
            return
        yield int(group[best]), score
        scores[best] = GONE
        before = scores.copy() if watch else scores
        _lower(scores, line, best, settings)
        if watch:
            changed = np.flatnonzero((scores != before) & (before > 0))
            watch(group[changed], scores[changed])


def _lower(scores: Floats, line: _Neighbours, best: np.intp, settings: SuppressionSettings) -> None:
    """Take the score from candidates that overlap the one just kept, in place."""
    near, tiou = line.tiou(line.start[best], line.end[best])
    if settings.method == "hard":
        if settings.tiou_threshold <= 0:  # a tIoU of 0 is enough
            scores[:] = GONE
        scores[near][tiou >= np.float32(settings.tiou_threshold)] = GONE
        return
    if settings.soft_from or settings.soft_from_width:
        tiou[tiou <= settings.soft_from + settings.soft_from_width * line.length[best]] = 0
    tiou *= tiou
    tiou /= np.float32(-settings.sigma)
    scores[near] *= np.exp(tiou, out=tiou)


def _voted(kept: ScoredSegments, candidates: ScoredSegments, shown: Floats, settings: SuppressionSettings) -> Floats:
    """(M, 2): every kept segment as the mean of what is shown of those around it, weighted by score * tIoU or score.

    All candidates vote, whatever their class, with the scores that they entered with.
    """
    line = _Neighbours(candidates.segments)
    scores = candidates.scores[line.order]
    by_tiou = settings.voting_weight == "score_tiou"
    begins, ends = np.ascontiguousarray(shown[line.order].T)
    voted = shown[kept.index]
    for row, (start, end) in enumerate(kept.segments):
        near, tiou = line.tiou(start, end)
        votes = tiou * scores[near] if by_tiou else scores[near]
        weight = np.where(tiou >= np.float32(settings.voting_threshold), votes, np.float32(0))
        if (total := weight.sum()) > 0:
            voted[row] = weight @ begins[near] / total, weight @ ends[near] / total
    return voted


def _take(candidates: ScoredSegments, index: Integers, scores: Floats) -> ScoredSegments:
    return ScoredSegments(candidates.segments[index], scores, candidates.labels[index], candidates.index[index])


def _checked(segments: Any, scores: Any, labels: Any) -> ScoredSegments:
    """The candidates as arrays, each with its own index."""
    ends, points, classes = as_array(segments), as_array(scores), as_array(labels)
    count = len(points) if points.ndim else 0
    for name, array, shape in (
        ("segments", ends, (count, 2)),
        ("scores", points, (count,)),
        ("labels", classes, (count,)),
    ):
        if array.shape != shape and not (count == 0 == array.size):
            raise InputError(f"{name} of the candidates: expected shape {shape}, found {array.shape}")
    if classes.size and classes.dtype.kind not in "iu":
        raise InputError(f"labels of the candidates: expected integers, found {classes.dtype}")
    candidates = ScoredSegments(
        segments=ends.astype(np.float32).reshape(-1, 2),
        scores=points.astype(np.float32).reshape(-1),
        labels=classes.astype(np.int64).reshape(-1),
        index=np.arange(count),
    )
    _check_values(candidates)
    return candidates


def _check_values(candidates: ScoredSegments) -> None:
    start, end = candidates.segments.T
    for what, wrong in (
        ("a start or end that is not finite", ~(np.isfinite(start) & np.isfinite(end))),
        ("an end before its start", end < start),
        (
            "a score that is not a finite number of at least 0",
            ~(np.isfinite(candidates.scores) & (candidates.scores >= 0)),
        ),
    ):
        if wrong.any():
            row = int(wrong.argmax())
            raise InputError(
                f"candidate {row} has {what}: segment {candidates.segments[row].tolist()}, "
                f"score {candidates.scores[row]}"
            )


def as_array(values: Any) -> NDArray[Any]:
    """An array from an array, a tensor on any device, or a list."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        values = (values.float() if values.is_floating_point() else values).numpy()
    return np.asarray(values)
