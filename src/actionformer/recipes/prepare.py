"""The detector that files and live sources are looked at with."""

from __future__ import annotations

from pathlib import Path

from actionformer.core.devices import Precision
from actionformer.core.errors import InputError
from actionformer.engines.engine import EngineName
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.inference.stream import with_live
from actionformer.settings.config import Changes


def prepared_detector(
    run: str | Path,
    *,
    max_action_seconds: float | None = None,
    max_per_hour: float | None = None,
    min_score: float | None = None,
    raw_scores: bool = False,
    device: str = "cpu",
    precision: Precision = "float32",
    settings: Changes | None = None,
    other_timing: bool = False,
    engine: EngineName | None = None,
) -> Detector:
    """The detector of a model directory, with what a call changes.

    Args:
        run: a model directory.
        max_action_seconds, max_per_hour: as in the section `live` of the settings; by default the run's.
        min_score: the least score that will be shown: what caps cut from there on is said.
        raw_scores: whether it is one of the network's own, where the model has a calibration too.
        device, precision, settings, other_timing, engine: see `load`.

    Raises:
        InputError: no model directory, or a number or setting that cannot be.
    """
    if min_score is not None and not 0 <= min_score <= 1:
        raise InputError(f"min_score must lie between 0 and 1, found {min_score:g}")
    detector = load(
        run, device=device, precision=precision, settings=settings, other_timing=other_timing, engine=engine
    )
    detector.config = with_live(detector.config, max_action_seconds, max_per_hour)
    calibration = None if raw_scores else detector.card.calibration
    detector.shown_from = min_score if calibration is None or min_score is None else calibration.curve.score(min_score)
    return detector
