"""Runs that differ in chance alone, as one model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError, warn
from actionformer.features import check_backbone, check_timing
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.model_directory import ModelCard, load_model, save_model
from actionformer.nn.ensemble import Ensemble
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.recipes.run_directory import clear, is_run, own_run
from actionformer.settings.config import Config, differences

SAME = ("model", "data", "decoding", "suppression", "fusion", "live", "evaluation")
"""Sections of the settings in which members agree."""


def ensemble(runs: Sequence[str | Path], out: str | Path, *, overwrite: bool = False) -> Detector:
    """Makes one model of several runs, whose probabilities and distances are averaged at every moment.

    Seeds, or folds, of one training make errors of their own, and agree where they are right. Detection takes as many
    times as long as there are runs. Detectors on a feature pyramid can be put together: ActionFormer, TriDet and
    TemporalMaxer.

    Args:
        runs: model directories that were trained with the same settings, but for those of training.
        out: the model directory to write.
        overwrite: replace a model that is there.

    Returns:
        The detector that `load(out)` gives.

    Raises:
        InputError: fewer than two runs, one of another detector, runs of other settings, classes or features (the
            first difference is named), or `out` is one of the runs.

    Warns:
        UserWarning: a run is given twice, and so counts twice; no video is held out from all of them; or a classifier
            of videos is left out.
    """
    paths, out = [Path(run) for run in runs], Path(out)
    if len(paths) < 2:
        raise InputError(f"an ensemble takes two runs or more, found {len(paths)}")
    _check_apart(paths, out)
    loaded = [load_model(path) for path in paths]
    networks = [model for model, _, _ in loaded if isinstance(model, PyramidNetwork)]
    if len(networks) < len(loaded):
        other = next(path for path, one in zip(paths, loaded, strict=True) if not isinstance(one[0], PyramidNetwork))
        raise InputError(f"{other}: is no single network with a feature pyramid: only such can be put together")
    _, config, card = loaded[0]
    for path, (_, other_config, other_card) in zip(paths[1:], loaded[1:], strict=True):
        _check_alike(paths[0], config, card, path, other_config, other_card)
    if card.video_classes:
        warn(f"{paths[0]}: its classifier of videos is left out: `actionformer classify {out}` adds one", stacklevel=2)
    described = ModelCard(card.class_names, card.features, _training(paths, [one for _, _, one in loaded]))
    if card.held_out and not described.held_out:
        warn(
            f"{out}: each video that one run held out was learned from by another, so nothing can be evaluated or "
            "calibrated on them: use other videos, with --annotations, --features and --subset",
            stacklevel=2,
        )
    if is_run(out) and not overwrite:
        raise InputError(f"{out}: already exists; --overwrite replaces it")
    with own_run(out, resume=False, overwrite=overwrite):
        clear(out, fresh=True)
        try:
            save_model(out, Ensemble(networks), config.replace(model={"members": len(networks)}), described)
        except BaseException:
            clear(out, fresh=True)  # half a model would be in the way of the next call
            raise
    return load(out)


def _check_apart(runs: Sequence[Path], out: Path) -> None:
    places = [run.resolve() for run in runs]
    if any(place.is_relative_to(out.resolve()) for place in places):
        raise InputError(f"{out}: holds a run that is put together, and would be replaced: choose another --out")
    if twice := [run for run, place in zip(runs, places, strict=True) if places.count(place) > 1]:
        warn(f"{twice[0]}: is given {len(twice)} times, and counts as often", stacklevel=3)


def _check_alike(
    first: Path, config: Config, card: ModelCard, second: Path, other_config: Config, other_card: ModelCard
) -> None:
    for section, name, ours, theirs in differences(config, other_config):
        if section in SAME:
            raise InputError(
                f"{second}: {section}.{name} is {theirs}, in {first} it is {ours}: only runs of the same settings can "
                "be put together"
            )
    if card.class_names != other_card.class_names:
        raise InputError(f"{second}: has other classes than {first}")
    check_backbone(other_card.features, card.features)
    check_timing(other_card.features, card.features, str(second))


def _training(paths: Sequence[Path], cards: Sequence[ModelCard]) -> dict[str, Any]:
    """What members have learned from, as far as it is the same; held out is what none of them has seen."""
    first, *others = (card.training for card in cards)
    same = {name: value for name, value in first.items() if all(one.get(name) == value for one in others)}
    same.pop("epochs", None)
    unseen = [video for video in cards[0].held_out if all(video in card.held_out for card in cards)]
    held_out = {"held_out": unseen} if unseen else {}
    return {**same, **held_out, "ensemble_of": [str(path.resolve()) for path in paths]}
