"""Proposals that a second stage judges: of any origin, checked, cut to their video."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.segments import LATEST, check_times, clip
from actionformer.core.words import part
from actionformer.features import FeatureSpec, check_backbone, check_timing
from actionformer.inference.suppression import as_array
from actionformer.model_directory import ModelCard
from actionformer.settings.config import Config

MISSING = (
    "this model judges proposals of segments, and nobody gives any: give --proposals (in Python proposals), a file of "
    "detections or a model that finds them. A model that is trained with one keeps it"
)
"""What is said of a second stage without proposals."""
NOT_TAKEN = "finds segments by itself and takes no proposals: leave --proposals out"
"""What is said of any other detector that is given some, after its name."""

Seconds = NDArray[np.float64]
"""(N, 2) starts and ends."""


def seconds_of(proposals: Any) -> Seconds:
    """Proposals as starts and ends in seconds: those of detections, or (N, 2) numbers.

    Raises:
        InputError: of other shape, not finite, beyond any video, or an end before its start; names the first.
    """
    if isinstance(proposals, Detections):
        return proposals.segments
    try:
        segments = as_array(proposals).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"proposals must be (N, 2) starts and ends in seconds ({error})") from error
    segments = segments.reshape(0, 2) if segments.size == 0 else segments
    if segments.ndim != 2 or segments.shape[1] != 2:
        raise InputError(f"proposals must be (N, 2) starts and ends in seconds, found shape {segments.shape}")
    wrong = ~(np.abs(segments) <= LATEST).all(axis=1) | (segments[:, 1] < segments[:, 0])  # NaN is not within either
    for row in np.flatnonzero(wrong)[:1].tolist():
        start, end = segments[row].tolist()
        if not np.isfinite(segments[row]).all():
            raise InputError(f"proposal {row} is [{start}, {end}]: starts and ends must be finite numbers of seconds")
        check_times(start, end, f"proposal {row}")
    return segments


def within(segments: Seconds, end: float, start: float) -> Seconds:
    """Proposals cut to a video, without those that lie outside of it or have no length."""
    cut = clip(segments, end, start)
    return cut[cut[:, 1] > cut[:, 0]]


def outside_in_words(outside: int, count: int) -> str:
    """What is said of proposals that `within` leaves out."""
    return f"{part(outside, count, 'proposals cover nothing of the video')}, and nothing is judged there"


def check_proposer(config: Config, card: ModelCard, features: FeatureSpec, name: str, *, other_timing: bool) -> None:
    """Checks that a model can propose for a second stage: that it takes the same features.

    Args:
        config: the settings of the model.
        card: its description.
        features: those of the second stage.
        name: of the model, for messages.
        other_timing: take features of another timing than the model's.

    Raises:
        InputError: it takes others; says what to do.
    """
    advice = "propose with a model of the same features, or give --proposals a file of what this one detects"
    if features.dim is not None and features.dim != config.model.input_width:
        raise InputError(
            f"{name}: looks at {config.model.input_width} channels, the features to propose in have {features.dim}: "
            f"{advice}"
        )
    try:
        check_backbone(features, card.features)
    except InputError as error:
        raise InputError(f"{name}: is to propose in {error}: {advice}") from error
    if not (other_timing or config.data.resize):
        check_timing(features, card.features, f"what {name} is to propose in")
