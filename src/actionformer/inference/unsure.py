"""How unsure models are of what they find: what to label next is where an answer tells them most.

A detection with the probability p of being right is worth H(p) = -p log2 p - (1 - p) log2 (1 - p) answers of yes or no:
1 at 0.5, nothing at 0 and 1. Of several models p is the mean of theirs, 0 for those that do not find it. H of that mean
minus the mean of their H is how far they disagree (Houlsby et al., arXiv:1112.5745); the rest is what each is unsure of
by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actionformer.core.calibration import Calibration
from actionformer.core.detections import Detections
from actionformer.core.segments import tiou
from actionformer.inference.caps import SHOWN_SCORE

SAME = 0.5
"""tIoU from which on two detections of a class are one action."""
UNSURE = 0.5
"""The least worth of a span that is worth an answer: probabilities from 0.11 to 0.89."""


@dataclass(frozen=True)
class UnsureSpan:
    """A span that may be an action, and what each model makes of it."""

    segment: tuple[float, float]
    """Seconds, of the model that believes in it most."""
    label: str
    probabilities: tuple[float, ...]
    """Per model; 0 for one that does not find it."""

    @property
    def probability(self) -> float:
        """The mean of the models."""
        return float(np.mean(self.probabilities))

    @property
    def answers(self) -> float:
        """What it is worth to know, in answers of yes or no: 0 to 1."""
        return float(entropy(self.probability))

    @property
    def disagreement(self) -> float:
        """How much of that is because the models disagree."""
        return max(self.answers - float(entropy(self.probabilities).mean()), 0.0)

    @property
    def reason(self) -> str:
        """Why it is worth an answer."""
        if self.disagreement > self.answers / 2:
            return f"models disagree: {min(self.probabilities):.2f} to {max(self.probabilities):.2f}"
        return f"unsure: {self.probability:.2f}"


def entropy(probabilities: ArrayLike) -> NDArray[np.float64]:
    """H(p) of each probability, in bits."""
    p = np.asarray(probabilities, dtype=np.float64)
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    bits = -inside * np.log2(inside) - (1 - inside) * np.log2(1 - inside)
    return np.where((p > 0) & (p < 1), bits, 0.0)


def probable(found: Detections, calibration: Calibration | None) -> Detections:
    """The same detections with probabilities for scores.

    Without a calibration they are guessed: the score from which on detections are shown stands for 0.5, and between it,
    0 and 1 they are straight lines.
    """
    if calibration is not None:
        return calibration.calibrated(found)
    return replace(found, scores=np.interp(found.scores, [0.0, SHOWN_SCORE, 1.0], [0.0, 0.5, 1.0]))


def unsure_spans(found: Sequence[Detections]) -> list[UnsureSpan]:
    """The spans of one video that are worth an answer, those worth most first.

    The detections of all models are gone through, the most probable first. Those of its class that overlap it by `SAME`
    or more are the same action, whichever model they are of; of each model the most probable of them counts.

    Args:
        found: per model, with probabilities for scores, see `probable`.
    """
    spans = [span for span in joined(found) if span.answers >= UNSURE]
    return sorted(spans, key=lambda span: (-span.answers, span.segment, span.label))


def joined(found: Sequence[Detections]) -> list[UnsureSpan]:
    """What one model or several find in a video, each action once; the most probable first."""
    names = sorted({name for one in found for name in one.class_names})
    segments = np.concatenate([one.segments for one in found])
    scores = np.concatenate([one.scores for one in found])
    labels = np.concatenate([np.array([names.index(name) for name in one.class_names])[one.labels] for one in found])
    models = np.repeat(np.arange(len(found)), [len(one) for one in found])
    order = np.argsort(-scores, kind="stable")
    spans = []
    while len(order):
        best = order[0]
        same = (labels[order] == labels[best]) & (tiou(segments[best][None], segments[order])[0] >= SAME)
        same[0] = True  # one without length overlaps nothing, not even itself
        taken = order[same]
        probabilities = [max(scores[taken][models[taken] == model], default=0.0) for model in range(len(found))]
        start, end = segments[best].tolist()
        spans.append(UnsureSpan((start, end), names[labels[best]], tuple(map(float, probabilities))))
        order = order[~same]
    return spans
