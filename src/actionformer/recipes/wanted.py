"""Which detections are written: those of some classes, with a least score, overlapping or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.calibration import Calibration
from actionformer.core.detections import Detections
from actionformer.core.names import known_name
from actionformer.inference.overlap import Overlap, without_overlap
from actionformer.inference.selection import least_scores, reaching


class Wanted:
    """Takes of detections those of some classes with a least score, and counts what scores below.

    Attributes:
        classes: the names of those that are wanted; none where all are.
        hidden: how many detections of these classes score below.

    Args:
        class_names: all classes of the model.
        classes: those that are wanted; by default all.
        min_score: the least score; by default what people are shown has one, see `least_scores`.
        for_people: whether people look at all that is written.
        drawn: whether people are shown them besides, drawn into the video or as clips.
        calibration: of the model's scores, which are then written as probabilities.
        overlap: which of what is taken may go on at one time, see `without_overlap`.

    Raises:
        InputError: no such class; the nearest is named.
    """

    def __init__(
        self,
        class_names: Sequence[str],
        classes: Sequence[str] | None = None,
        *,
        min_score: float | None = None,
        for_people: bool = False,
        drawn: bool = False,
        calibration: Calibration | None = None,
        overlap: Overlap = "keep",
    ) -> None:
        self.classes = [known_name(name, class_names, "no class") for name in classes or []]
        self.calibration, self.min_score, self.overlap, self.hidden = calibration, min_score, overlap, 0
        self._people = least_scores(class_names, calibration, for_people=True, min_score=min_score)
        self._written = least_scores(class_names, calibration, for_people=for_people, min_score=min_score)
        self._looked_at = self._people if drawn else self._written
        self._best: float | None = None
        self._reached = False

    def __call__(self, found: Detections) -> Detections:
        """Those that are written."""
        found = self._scored(found)
        shown = reaching(self._written, found)
        self.hidden += len(found) - len(shown)
        self._best = max([*found.scores[:1].tolist(), *([] if self._best is None else [self._best])], default=None)
        self._reached |= len(reaching(self._looked_at, found)) > 0
        return without_overlap(shown, self.overlap)

    def drawn(self, found: Detections) -> Detections:
        """Those that are drawn into the video or cut out of it."""
        return without_overlap(reaching(self._people, self._scored(found)), self.overlap)

    def _scored(self, found: Detections) -> Detections:
        """Those of the wanted classes, whatever they score."""
        found = found.of(self.classes) if self.classes else found
        return found if self.calibration is None else self.calibration.calibrated(found)

    @property
    def settings(self) -> dict[str, Any]:
        """What results depend on, plain values."""
        calibration = self.calibration
        return {
            "classes": self.classes or None,
            "min_score": _one(self._written),
            "calibration": None if calibration is None else vars(calibration.curve),
            "overlap": None if self.overlap == "keep" else self.overlap,
            "thresholds": None if _one(self._written) is not None else self._written.tolist(),
        }

    @property
    def left_out(self) -> str | None:
        """What to tell people of those that are left out unasked."""
        if not self.hidden or self.min_score is not None:
            return None
        what = "the threshold of their class" if (one := _one(self._written)) is None else f"{one:.3g}"
        return f"{self.hidden:,} more score below {what} and are left out, --min-score 0 shows them"

    @property
    def nothing(self) -> str | None:
        """What to tell people when something was found, and all of it scores too little to be looked at."""
        if self._best is None or self._reached:
            return None
        one = _one(self._looked_at)
        reached = "reaches the threshold of its class" if one is None else f"scores {one:.4g} or more"
        hint = f"nothing {reached}, the best is {self._best:.2f}: lower --min-score"
        return f"warning: {hint}" if self.min_score is None else hint


def _one(least: NDArray[np.float64]) -> float | None:
    """The score that all classes have in common."""
    return float(least[0]) if (least == least[0]).all() else None
