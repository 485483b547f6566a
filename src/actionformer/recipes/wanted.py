"""Which detections are written: those of some classes, with a least score."""

from __future__ import annotations

from collections.abc import Sequence

from actionformer.core.detections import Detections
from actionformer.core.names import known_name


class Wanted:
    """Takes of detections those of some classes with a least score, and counts what scores below.

    Attributes:
        hidden: how many of these classes score below.
        best: the best score of these classes, None before there is one.

    Args:
        class_names: all classes of the model.
        classes: those that are wanted; by default all.
        min_score: the least score.

    Raises:
        InputError: no such class; the nearest is named.
    """

    def __init__(self, class_names: Sequence[str], classes: Sequence[str] | None, min_score: float) -> None:
        self.classes = [known_name(name, class_names, "no class") for name in classes or []]
        self.min_score, self.hidden = min_score, 0
        self.best: float | None = None

    def of_classes(self, found: Detections) -> Detections:
        """Those of the wanted classes, whatever they score."""
        return found.of(self.classes) if self.classes else found

    def __call__(self, found: Detections) -> Detections:
        """Those that are written."""
        found = self.of_classes(found)
        shown = found.above(self.min_score)
        self.hidden += len(found) - len(shown)
        self.best = max([*found.scores[:1].tolist(), *([] if self.best is None else [self.best])], default=None)
        return shown

    @property
    def hint(self) -> str:
        """What to tell people of those that are left out."""
        return f"{self.hidden:,} more score below {self.min_score:g} and are left out, --min-score 0 shows them"
