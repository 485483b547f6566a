"""Calibration of a model directory on videos that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from actionformer.core.calibration import Calibration
from actionformer.core.devices import Precision
from actionformer.core.errors import InputError
from actionformer.core.locks import sole_writer
from actionformer.data.collection import Paths
from actionformer.evaluation import calibration
from actionformer.evaluation.report import parse_tiou
from actionformer.model_directory import load_settings, replace_card
from actionformer.recipes.evaluate import search_subset
from actionformer.recipes.proposals import Proposals, source_of


def calibrate(
    run: str | Path,
    *,
    annotations: str | Path | None = None,
    features: Paths | None = None,
    subset: str | Sequence[str] | None = None,
    tiou: float = 0.5,
    skip_missing: bool = False,
    other_timing: bool = False,
    proposals: Proposals | None = None,
    device: str = "cpu",
    precision: Precision = "float32",
) -> Calibration:
    """Measures what a model's scores are worth, and from which on each class is shown; its model.json keeps it.

    From then on `detect` and `watch` write the probability that a detection is right as its score, and show people what
    reaches the threshold of its class, the one with the best F1. Training does this by itself where its evaluation
    subset has enough actions.

    Args:
        run: a model directory.
        annotations: ground truth, ActivityNet JSON; by default what it was trained with.
        features: folders of feature files; by default those it was trained with.
        subset: subsets to measure on, which it was not trained on; by default the evaluation subset of its settings.
        tiou: overlap from which on a detection counts as right.
        skip_missing: go on without videos that have no features.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
        proposals: segments for a model that judges them, see `evaluate`.
        device: where to compute: cpu, cuda, cuda:1, ...
        precision: number format of the arithmetic.

    Raises:
        InputError: no model directory, what `evaluate` refuses, too few actions, or a run that is trained on meanwhile.
    """
    (tiou,) = parse_tiou([tiou])
    run = Path(run)
    searched = search_subset(
        run,
        annotations=annotations,
        features=features,
        subset=subset,
        skip_missing=skip_missing,
        other_timing=other_timing,
        proposals=source_of(proposals, device=device, other_timing=other_timing),
        device=device,
        precision=precision,
    )
    measured = calibration.calibrate(
        searched.truth,
        searched.detections,
        tiou=tiou,
        subset=searched.truth.subset_names,
        groups=searched.groups,
    )
    with sole_writer(run):
        if not searched.is_current():
            raise InputError(f"{run}: was trained further meanwhile: calibrate it again")
        replace_card(run, replace(load_settings(run)[1], calibration=measured))
    return measured
