"""Cross-validation: as many models as folds, each evaluated on the videos that it has not learned from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, listed, untold
from actionformer.core.files import naming, write_whole
from actionformer.core.locks import sole_writer
from actionformer.core.run_files import DETECTIONS, FOLD, FOLDS
from actionformer.core.terminal import TextTable, plain_console, say
from actionformer.data.collection import Paths
from actionformer.data.split import HELD_OUT, Split, check_folds, folds, with_held_out
from actionformer.evaluation.report import Report, score
from actionformer.formats.detections import write_results
from actionformer.hub import model_folder
from actionformer.model_directory import ModelCard, load_settings
from actionformer.recipes.evaluate import search_subset
from actionformer.recipes.given import Given, TrainingData
from actionformer.recipes.held_out import tell_groups
from actionformer.recipes.proposals import Proposals, model_hash, source_of
from actionformer.recipes.run_directory import check_fold, check_unoccupied, clear, is_run, own_run
from actionformer.recipes.start import check_init
from actionformer.recipes.train import train_on
from actionformer.settings.config import Changes, Config
from actionformer.training.loggers.base import Logger
from actionformer.training.loggers.index import LoggerName, loggers_of


@dataclass(frozen=True)
class FoldsReport:
    """Figures of all folds; shares from 0 to 1."""

    tiou: tuple[float, ...]
    maps: tuple[tuple[float, ...], ...]
    """mAP of each fold at each threshold."""
    pooled: Report
    """Of the detections of all folds together, as if one model had made them."""

    @property
    def averages(self) -> tuple[float, ...]:
        """Mean over thresholds of each fold."""
        return tuple(float(np.mean(one)) for one in self.maps)

    @property
    def mean(self) -> float:
        """Of the averages."""
        return float(np.mean(self.averages))

    @property
    def deviation(self) -> float:
        """Standard deviation of the averages, of a sample."""
        return float(np.std(self.averages, ddof=1))

    def table(self) -> TextTable:
        """A row a fold, their mean and deviation, and all detections together; in percent."""
        columns = [f"{tiou:g}" for tiou in self.tiou]
        table = TextTable("", *columns, "average", title="mAP by tIoU, in percent", box=SIMPLE_HEAD, padding=0)
        for column in table.columns[1:]:
            column.justify, column.min_width = "right", 7
        every = np.array([[*one, average] for one, average in zip(self.maps, self.averages, strict=True)])
        rows = {f"fold {number}": row for number, row in enumerate(every, start=1)}
        rows |= {"mean": every.mean(axis=0), "deviation": every.std(axis=0, ddof=1)}
        rows["all together"] = np.array([*self.pooled.map, self.pooled.average])
        for name, row in rows.items():
            table.add_row(name, *(f"{100 * value:.1f}" for value in row))
        table.caption = "all together: the detections of all folds as if one model had made them"
        table.min_width = len(table.caption)
        return table

    def to_json(self, path: str | Path) -> None:
        """Writes all figures."""
        figures = {"mean": self.mean, "deviation": self.deviation, "averages": self.averages}
        content = {"tiou": self.tiou, "maps": self.maps, **figures, "pooled": asdict(self.pooled)}
        write_whole(path, json.dumps(content, indent=1) + "\n")


def cross_validate(
    config: str | Path | Config,
    annotations: str | Path,
    features: Paths | None = None,
    out: str | Path = "runs/model",
    *,
    folds: int,
    videos: Paths | None = None,
    backbone: str = "motion",
    weights: str | Path | Sequence[str | Path] = (),
    init: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    skip_missing: bool = False,
    other_timing: bool = False,
    proposals: Proposals | None = None,
    device: str = "cpu",
    settings: Changes | None = None,
    log: Sequence[LoggerName | Logger] | None = None,
    console: Console | None = None,
) -> FoldsReport:
    """Trains a model a fold on the other folds' videos, and says how good they are together and how far they differ.

    OUT/fold_1, OUT/fold_2, ... are run directories like any other; OUT/folds.json has the figures, OUT/detections.json
    what each model finds in the videos that it has not learned from. The folds are of the training subset; an
    evaluation subset is not looked at. Every video is held out once. The other arguments are those of `train`.

    Args:
        folds: train this many models instead of one, each with another part of the training videos held out for
            evaluation; --resume keeps those that are there.

    Raises:
        InputError: what `train` refuses, or fewer videos or groups than folds.
    """
    check_folds(folds)
    out, init = Path(out), None if init is None else model_folder(init)
    console = console or plain_console(quiet=True)
    log = loggers_of(log)
    runs = [out / f"{FOLD}{number}" for number in range(1, folds + 1)]
    others = _check_folder(out, runs, resume=resume, overwrite=overwrite)
    with sole_writer(out):
        data = TrainingData(
            annotations=annotations,
            features=features,
            videos=videos,
            backbone=backbone,
            weights=weights,
            skip_missing=skip_missing,
            other_timing=other_timing,
            device=device,
            proposals=source_of(proposals, device=device, other_timing=other_timing, console=console),
        )
        given = data.given(config, settings)
        if init is not None:
            check_init(init, given.config)
        splits, init_hash = _splits(given, folds), None if init is None else model_hash(init)
        for run, one in zip(runs if resume else (), splits, strict=False):
            check_fold(run, one.held_out, init_hash)
        tell_groups(splits[0], console)
        given = given.completed(console)
        given = given.with_features(out, init=init, overwrite=overwrite, console=console)
        _forget(out, others)
        found: list[dict[str, Detections]] = []
        for number, (run, one) in enumerate(zip(runs, splits, strict=True), start=1):
            say(console, f"fold {number} of {folds}: held out are {one}: {listed(one.held_out, 5)}")
            with own_run(run, resume=resume, overwrite=overwrite):
                of_fold = given.evaluated_on(one.held_out)
                train_on(of_fold, run, init=init, resume=resume, device=device, console=console, log=log)
            found.append(_found(run, annotations, given, device))
        report = _report(given, splits, found)
        write_results(out / DETECTIONS, _together(found))
        report.to_json(out / FOLDS)
    return report


def settings_of_folds(out: Path) -> tuple[Config, ModelCard]:
    """Settings and description of all folds as if they were one model, which is evaluated on what it was trained on.

    Raises:
        InputError: there are no folds.
    """
    config, card = load_settings(out / f"{FOLD}1")
    training = {name: value for name, value in card.training.items() if name != "held_out"}
    one = replace(card, training=training, metrics={}, calibration=None)
    return config.replace(data={"test_subset": config.data.train_subset}), one


def _check_folder(out: Path, runs: Sequence[Path], *, resume: bool, overwrite: bool) -> list[Path]:
    """The runs of further folds than are asked for, which can only be replaced.

    Raises:
        InputError: the folds may not be written or continued there.
    """
    if out.is_dir() and is_run(out):
        raise InputError(f"{out}: is a run, and folds are runs in a folder: choose another")
    for run in runs:
        check_unoccupied(run, resume=resume, overwrite=overwrite)
    others = [path for path in sorted(out.glob(f"{FOLD}*")) if path not in runs and is_run(path)]
    if others and not overwrite:
        raise InputError(f"{others[0]}: is of another cross-validation; --overwrite starts again")
    return others


def _forget(out: Path, others: Sequence[Path]) -> None:
    """Removes what is about to be replaced: the figures of all folds together, and further folds of before."""
    with naming(out):
        for name in (FOLDS, DETECTIONS):
            (out / name).unlink(missing_ok=True)
    for run in others:
        with sole_writer(run):
            clear(run, fresh=True)
        with suppress(OSError):  # something else lies in it
            run.rmdir()


def _splits(given: Given, count: int) -> list[Split]:
    trained = given.there.subset(given.config.data.train_subset)
    splits = folds(trained, count, seed=given.config.training.seed)
    for number, one in enumerate(splits, start=1):
        if not any(len(trained.videos[id_].segments) for id_ in one.held_out):
            raise InputError(f"{trained.source}: the videos of fold {number} have no action: take fewer folds")
    return splits


def _found(run: Path, annotations: str | Path, given: Given, device: str) -> dict[str, Detections]:
    """What a fold finds in its held-out videos, whatever has been evaluated in its directory since."""
    with untold():  # training has
        return search_subset(
            run,
            annotations=annotations,
            features=given.features,
            skip_missing=given.skip_missing,
            other_timing=given.other_timing,
            proposals=given.proposals,
            device=device,
        ).detections


def _together(found: Sequence[Mapping[str, Detections]]) -> dict[str, Detections]:
    return {video: one for of_fold in found for video, one in of_fold.items()}


def _report(given: Given, splits: Sequence[Split], found: Sequence[Mapping[str, Detections]]) -> FoldsReport:
    settings = given.config.evaluation
    there = given.there.subset(given.config.data.train_subset).videos
    truth = given.truth
    truth = replace(truth, videos={id_: truth.videos[id_] for id_ in there})

    def scored(truth: Annotations, detections: Mapping[str, Detections]) -> Report:
        return score(truth, detections, tiou=settings.tiou, recall_at=settings.recall_at)

    maps = tuple(
        scored(with_held_out(truth, split.held_out).subset(HELD_OUT), one).map
        for split, one in zip(splits, found, strict=True)
    )
    return FoldsReport(settings.tiou, maps, scored(truth, _together(found)))
