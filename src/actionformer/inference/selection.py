"""Which detections are shown to people: those that reach the threshold of their class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from actionformer.core.calibration import Calibration
from actionformer.core.detections import Detections
from actionformer.inference.caps import SHOWN_SCORE


def least_score(*, for_people: bool, min_score: float | None = None) -> float:
    """The score from which on detections of any class are taken where no calibration says more; see `least_scores`."""
    return min_score if min_score is not None else SHOWN_SCORE if for_people else 0.0


def least_scores(
    class_names: Sequence[str], calibration: Calibration | None, *, for_people: bool, min_score: float | None = None
) -> NDArray[np.float64]:
    """(K,) the score from which on detections of each class are taken.

    Args:
        class_names: of the detections.
        calibration: of the model, if it has one; scores are then calibrated.
        for_people: whether people look at all that is taken: without a calibration from `SHOWN_SCORE` on. Else all is
            taken.
        min_score: a score that was asked for, which goes before all.
    """
    if min_score is None and for_people and calibration is not None:
        return calibration.thresholds(class_names)
    return np.full(len(class_names), least_score(for_people=for_people, min_score=min_score))


def shown(found: Detections, calibration: Calibration | None, min_score: float | None = None) -> Detections:
    """What people are shown of all that a model finds; scores are calibrated where the model has a calibration.

    Args:
        found: with the network's own scores.
        calibration: of the model, if it has one.
        min_score: the least score that is shown; by default see `least_scores`.
    """
    found = found if calibration is None else calibration.calibrated(found)
    return reaching(least_scores(found.class_names, calibration, for_people=True, min_score=min_score), found)


def reaching(least: NDArray[np.float64], found: Detections) -> Detections:
    """The detections that have at least the score of their class, of `least` (K,)."""
    return found[found.scores >= least[found.labels]]
