"""Classes that training has too few actions of, and those that only the evaluation has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from actionformer.checks.findings import Finding
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.errors import listed

FEW = 3
"""Actions of a class from which on something may be learned of it; published data sets have classes with no more."""


def check_trained_classes(videos: Sequence[AnnotatedVideo], names: Sequence[str]) -> list[Finding]:
    """Classes of which there is hardly any action to learn from."""
    counts = _counts(videos, names)
    few = np.flatnonzero((counts > 0) & (counts < FEW)).tolist()
    if not few:
        return []
    what = f"classes have fewer than {FEW} actions to learn from: "
    example = listed([f"{names[i]} ({counts[i]})" for i in few])
    return [Finding("few_actions", "warning", len(few), int((counts > 0).sum()), what, example)]


def check_evaluated_classes(
    videos: Sequence[AnnotatedVideo], trained: Sequence[AnnotatedVideo], names: Sequence[str]
) -> list[Finding]:
    """Classes that are evaluated, and of which no `trained` video has an action."""
    counts, learned = _counts(videos, names), _counts(trained, names)
    unknown = np.flatnonzero((counts > 0) & (learned == 0)).tolist()
    if not unknown:
        return []
    what = "classes have no action to learn from, those of the evaluation will be missed: "
    example = listed([f"{names[i]} ({counts[i]})" for i in unknown])
    return [Finding("untrained", "warning", len(unknown), int((counts > 0).sum()), what, example)]


def _counts(videos: Sequence[AnnotatedVideo], names: Sequence[str]) -> NDArray[np.int64]:
    """(K,) actions of each class."""
    labels = np.concatenate([np.empty(0, np.int64), *(video.labels for video in videos)])
    counts: NDArray[np.int64] = np.bincount(labels, minlength=len(names))
    return counts
