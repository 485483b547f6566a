"""Cross-validation: as many models as folds, each evaluated on the videos that it has not learned from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, listed
from actionformer.core.files import write_whole
from actionformer.core.run_files import CARD, DETECTIONS, FOLD, FOLDS
from actionformer.core.terminal import TextTable, plain_console, say
from actionformer.data.collection import Paths, with_classes
from actionformer.data.split import Split, folds
from actionformer.evaluation.report import Report, score
from actionformer.formats.detections import read_results
from actionformer.model_directory import load_settings
from actionformer.recipes.given import Given, given_of
from actionformer.recipes.held_out import tell_groups
from actionformer.recipes.run_directory import check_unoccupied
from actionformer.recipes.train import train_on
from actionformer.settings.config import Changes, Config


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
    device: str = "cpu",
    settings: Changes | None = None,
    console: Console | None = None,
) -> FoldsReport:
    """Trains a model a fold on the other folds' videos, and says how good they are together and how far they differ.

    OUT/fold_1, OUT/fold_2, ... are run directories like any other; OUT/folds.json has the figures. The folds are of the
    training subset; an evaluation subset is not looked at. Every video is held out once. The other arguments are those
    of `train`.

    Args:
        folds: train this many models instead of one, each with another part of the training videos held out for
            evaluation; --resume keeps those that are there.

    Raises:
        InputError: what `train` refuses, or fewer videos or groups than folds.
    """
    out = Path(out)
    console = console or plain_console(quiet=True)
    given = given_of(
        config,
        annotations,
        features,
        videos=videos,
        backbone=backbone,
        weights=weights,
        skip_missing=skip_missing,
        other_timing=other_timing,
        device=device,
        settings=settings,
    ).completed(console)
    splits = _splits(given, folds)
    runs = [out / f"{FOLD}{number}" for number in range(1, folds + 1)]
    for run in runs:
        check_unoccupied(run, resume=resume, overwrite=overwrite)
    tell_groups(splits[0], console)
    given = given.with_features(out, overwrite=overwrite, console=console)
    for number, (run, one) in enumerate(zip(runs, splits, strict=True), start=1):
        say(console, f"fold {number} of {folds}: held out are {one}: {listed(one.held_out, 5)}")
        of_fold = given.evaluated_on(one.held_out)
        train_on(of_fold, run, init=init, resume=resume, overwrite=overwrite, device=device, console=console)
    found = _report(given, runs)
    found.to_json(out / FOLDS)
    return found


def _splits(given: Given, count: int) -> list[Split]:
    trained = given.annotations.subset(given.config.data.train_subset)
    return folds(trained, count, seed=given.config.training.seed)


def _report(given: Given, runs: Sequence[Path]) -> FoldsReport:
    settings = given.config.evaluation
    maps: list[tuple[float, ...]] = []
    found: dict[str, Detections] = {}
    for run in runs:
        metrics: Mapping[str, float] = load_settings(run)[1].metrics
        if not metrics or not (run / DETECTIONS).is_file():
            raise InputError(f"{run / CARD}: has no figures: its held-out videos could not be evaluated on")
        maps.append(tuple(metrics[f"map@{tiou:g}"] for tiou in settings.tiou))
        found |= read_results(run / DETECTIONS)
    truth = with_classes(given.annotations, given.config.model.num_classes).subset(given.config.data.train_subset)
    pooled = score(truth, found, tiou=settings.tiou, recall_at=settings.recall_at)
    return FoldsReport(tuple(settings.tiou), tuple(maps), pooled)
