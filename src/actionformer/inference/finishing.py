"""From the candidates of one finished sequence to its detections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.segments import clip
from actionformer.inference.caps import Cut, most_detections, worth_telling
from actionformer.inference.fusion import fuse
from actionformer.inference.sequences import FeatureSequence
from actionformer.inference.settings import FusionSettings
from actionformer.inference.suppression import ScoredSegments, suppress_and_count
from actionformer.nn.decoding import Candidates
from actionformer.settings.config import Config


def finished(
    candidates: Candidates,
    left: tuple[float, int],
    sequence: FeatureSequence,
    config: Config,
    class_names: tuple[str, ...],
    names: tuple[str, ...] | None,
    *,
    shown_from: float | None,
) -> tuple[Detections, Cut]:
    """Suppresses candidates, fuses them with video-level scores if there are some, and places them in seconds.

    Args:
        candidates: in grid steps.
        left: the highest score that decoding has left out, and its level.
        sequence: what they were found in.
        config: all settings.
        class_names: of the model.
        names: of the classes of `sequence.class_scores`.
        shown_from: the least score that is shown; by default see `worth_telling`.

    Returns:
        The detections, and what caps have cut.
    """
    segments, scores, labels, *_ = candidates
    best = scores.max().item() if len(scores) else 0.0
    worth = worth_telling(best) if shown_from is None else shown_from
    most = most_detections(config, len(sequence), sequence.grid)
    settings = config.suppression.in_steps(len(sequence))
    kept, more = suppress_and_count(
        segments, scores, labels, settings, most=most, worth=worth, reported=candidates.refined
    )
    cut = Cut()
    cut.add(int((kept.scores >= worth).sum()), more, worth)
    cut.leave(*left)
    origin = candidates.levels.numpy()[kept.index]
    if sequence.class_scores is not None:
        kept, origin = _fused(kept, origin, sequence, config.fusion, class_names, names)
    elif names is not None:
        raise InputError("class_names are those of class_scores, which are not given")
    grid = sequence.grid
    seconds = clip(grid.to_seconds(kept.segments.astype(np.float64)), sequence.duration, grid.start)
    return Detections(seconds, kept.scores.astype(np.float64), kept.labels, names or class_names, origin), cut


def _fused(
    kept: ScoredSegments,
    origin: NDArray[np.int64],
    sequence: FeatureSequence,
    settings: FusionSettings,
    class_names: tuple[str, ...],
    names: tuple[str, ...] | None,
) -> tuple[ScoredSegments, NDArray[np.int64]]:
    if len(class_names) > 1:
        raise InputError(f"class scores are fused with proposals of one class, this model has {len(class_names)}")
    fused = fuse(kept.segments, kept.scores, sequence.class_scores, settings)
    if names is None or len(names) != len(sequence.class_scores):
        raise InputError(f"class_names must name the {len(sequence.class_scores)} classes of class_scores")
    return fused, origin[fused.index]
