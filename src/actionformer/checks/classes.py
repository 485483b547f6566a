"""Classes that training has too few actions of or none, and those that only the evaluation has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actionformer.checks.findings import Finding
from actionformer.checks.labels import counts_of
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.errors import listed

FEW = 3
"""Actions of a class from which on something may be learned of it; published data sets have classes with no more."""

UNBALANCED = 50
"""Times by which classes may differ in their number of actions; in GTEA it is 35."""


def check_trained_classes(videos: Sequence[AnnotatedVideo], names: Sequence[str]) -> list[Finding]:
    """Classes of which there is hardly any action to learn from."""
    counts = counts_of(videos, names)
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
    counts, learned = counts_of(videos, names), counts_of(trained, names)
    unknown = np.flatnonzero((counts > 0) & (learned == 0)).tolist()
    if not unknown:
        return []
    what = "classes have no action to learn from, those of the evaluation will be missed: "
    example = listed([f"{names[i]} ({counts[i]})" for i in unknown])
    return [Finding("untrained", "warning", len(unknown), int((counts > 0).sum()), what, example)]


def check_empty_classes(videos: Sequence[AnnotatedVideo], names: Sequence[str]) -> list[Finding]:
    """Classes that have a name, and no action in any of the videos."""
    nowhere = np.flatnonzero(counts_of(videos, names) == 0).tolist()
    if not nowhere:
        return []
    what, advice = "classes have no action: ", "number the classes without gaps, or lower model.num_classes"
    return [
        Finding("empty_class", "warning", len(nowhere), len(names), what, listed([names[i] for i in nowhere]), advice)
    ]


def check_balance(videos: Sequence[AnnotatedVideo], names: Sequence[str]) -> list[Finding]:
    """Classes that have hardly any action beside the most frequent one."""
    counts = counts_of(videos, names)
    rare = np.flatnonzero((counts >= FEW) & (counts * UNBALANCED < counts.max())).tolist()
    if not rare:
        return []
    most = int(counts.argmax())
    what = f"classes have fewer than 1/{UNBALANCED} of the actions of {names[most]} ({counts[most]}): "
    example = listed([f"{names[i]} ({counts[i]})" for i in rare])
    advice = "label more of them, or leave them out: they are hardly learned"
    return [Finding("imbalance", "warning", len(rare), int((counts > 0).sum()), what, example, advice)]
