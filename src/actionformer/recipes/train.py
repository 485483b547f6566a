"""Training: from annotations and features to a run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from actionformer.backbones import load_backbone
from actionformer.checks import check_rate, check_unlike, check_values, tell
from actionformer.core.annotations import Annotations
from actionformer.core.devices import find_device
from actionformer.core.errors import InputError, warn
from actionformer.core.locks import sole_writer
from actionformer.core.run_files import BEST
from actionformer.core.terminal import plain_console
from actionformer.data.collection import Paths
from actionformer.data.dataset import EpochLoader
from actionformer.data.statistics import FeatureStatistics
from actionformer.detectors.base import architecture_of
from actionformer.formats.annotations import read_annotations
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.model_directory import ModelCard, save_model
from actionformer.recipes.advise import check_source
from actionformer.recipes.configuration import completed_config, footage_of
from actionformer.recipes.footage import Footage
from actionformer.recipes.held_out import hold_out, usual_share
from actionformer.recipes.run_directory import check_unoccupied, clear, forget_evaluation, resumed_state
from actionformer.recipes.start import check_start, initial_model
from actionformer.recipes.task import Task, gather
from actionformer.recipes.validation import Validation
from actionformer.settings.config import Changes, Config
from actionformer.settings.loading import AUTO, load_config
from actionformer.training.checkpoints import state_path, write_state
from actionformer.training.loop import Metrics, Trainer, fit, steps_per_epoch
from actionformer.training.metrics_log import MetricsLog
from actionformer.training.progress import TrainingProgress


def train(
    config: str | Path | Config,
    annotations: str | Path | Annotations,
    features: Paths | None = None,
    out: str | Path = "runs/model",
    *,
    videos: Paths | None = None,
    backbone: str = "motion",
    weights: str | Path | Sequence[str | Path] = (),
    validation: float | None = None,
    init: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    skip_missing: bool = False,
    other_timing: bool = False,
    device: str = "cpu",
    settings: Changes | None = None,
    console: Console | None = None,
) -> Detector:
    """Trains a model and evaluates it on the way.

    The run directory gets the last model, in best/ the best one, and how it got there.

    Args:
        config: a preset's name, a TOML file, or auto: settings that fit the data, each with its reason.
        annotations: ActivityNet JSON.
        features: a folder of feature files; several are joined by channel.
        out: the run directory to write.
        videos: files or folders, instead of features: those of the annotated videos are made in OUT/features, unless
            they are there.
        backbone: what turns videos into features, see `extract`.
        weights: files of the backbone, or their folder.
        validation: hold this share of the training videos out and evaluate on them, e.g. 0.25; by default evaluation
            is on the evaluation subset, and where there is none, auto holds a quarter out. Videos of one group (a field
            `group` of the annotations, or a part of their ids such as `subject01`) stay together.
        init: a model directory to start from; its classes and input width may differ.
        resume: continue the run in OUT, which then ends as if it had never stopped.
        overwrite: remove the run in OUT and start again.
        skip_missing: go on without videos that have no features.
        other_timing: take features of several strides or windows, or of other timing than those of INIT.
        device: where to compute: cpu, cuda, cuda:1, ...
        settings: section -> setting -> value, of what is not to be as `config` has it.
        console: where progress is shown; by default nowhere.

    Returns:
        The detector of the last model.

    Raises:
        InputError: anything in the settings, annotations or features that cannot be used.
    """
    out = Path(out)
    chosen, given = None if config == AUTO else load_config(config, settings), settings or {}
    console = console or plain_console(quiet=True)
    find_device(device)
    check_source(features, videos)
    check_unoccupied(out, resume=resume, overwrite=overwrite)
    if not isinstance(annotations, Annotations):
        annotations = read_annotations(annotations)
    source: Paths | Footage
    if videos is not None:
        made_by = load_backbone(backbone, weights, device=device)
        source = footage_of(chosen, annotations, videos, made_by, given, skip_missing)
    else:
        assert features is not None
        source = features
    config = completed_config(
        chosen, annotations, source, given, console, skip_missing=skip_missing, other_timing=other_timing
    )
    if validation is None and chosen is None:
        validation = usual_share(annotations, config)
    annotations, config = hold_out(annotations, config, validation, console, resumed=out if resume else None)
    with sole_writer(out):
        check_unoccupied(out, resume=resume, overwrite=overwrite)  # another one may have ended there meanwhile
        if isinstance(source, Footage):
            source = source.extract(config, out, overwrite=overwrite, console=console)
        task = gather(config, annotations, source, skip_missing=skip_missing, other_timing=other_timing)
        if init is not None and not other_timing:
            check_start(init, task.card)
        _train(task, out, init=init, resume=resume, device=device, console=console)
    return load(out, device=device)


def _train(task: Task, out: Path, *, init: str | Path | None, resume: bool, device: str, console: Console) -> None:
    """Trains in a directory that is this process's; what was there is touched when nothing more can be refused."""
    config = task.config
    state = resumed_state(out, config, task.card) if resume else None
    fresh = state is None
    if fresh:
        measured = _measured(task)
        statistics = measured if config.data.normalize else None
        model = initial_model(config, task.card, task.training.videos, statistics, init)
    else:
        model = architecture_of(config).network()
    loader = EpochLoader(task.training, training=config.training, pad_to=architecture_of(config).training_length())
    steps = steps_per_epoch(loader, config.training.accumulate)
    tell(check_rate(config, steps * config.training.all_epochs), "settings")
    trainer = Trainer(model, config, steps_per_epoch=steps, device=device)
    evaluation = _validation(task, device)
    run = _Run(out, config, task.card, trainer, evaluation, best=-1.0)
    first_epoch = run.restore(state) if state is not None else 0
    clear(out, fresh=fresh)
    progress = TrainingProgress(
        console,
        first_epoch=first_epoch,
        epochs=config.training.all_epochs,
        warmup_epochs=config.training.warmup_epochs,
        steps_per_epoch=steps,
    )
    with MetricsLog(out, first_epoch=first_epoch, steps_per_epoch=steps, progress=progress) as log:
        fit(
            trainer,
            loader,
            first_epoch=first_epoch,
            observer=log,
            evaluate=evaluation,
            save=run.save,
        )


def _measured(task: Task) -> FeatureStatistics:
    """Reads all features once, before they cost a run: what training normalises by, and what is odd about them.

    Raises:
        InputError: features of either subset that cannot be read, or that say nothing.
    """
    statistics = FeatureStatistics((one.video.id, one.features) for one in task.collection.videos)
    found = [*check_values(statistics), *check_unlike(statistics)]
    tell(found, f"subset {', '.join(task.config.data.train_subset)}")
    evaluated = [] if task.test is None else task.test.videos
    for finding in check_values(FeatureStatistics((one.video.id, one.features) for one in evaluated)):
        warn(f"subset {', '.join(task.config.data.test_subset)}: {finding}", stacklevel=4)
    return statistics


def _validation(task: Task, device: str) -> Validation | None:
    if task.test is None:
        return None
    subset = task.annotations.subset(task.config.data.test_subset)
    learned = {video.id for video in task.training.videos}
    return Validation(subset, task.test, task.config, task.card, learned=learned, device=device)


class _Run:
    """Writes the models and the state of a run after every epoch."""

    def __init__(
        self,
        out: Path,
        config: Config,
        card: ModelCard,
        trainer: Trainer,
        evaluation: Validation | None,
        best: float,
    ) -> None:
        self.out, self.config, self.card, self.trainer = out, config, card, trainer
        self.evaluation, self.best = evaluation, best

    def restore(self, state: Mapping[str, Any]) -> int:
        """Continues from a state; returns the first epoch to train.

        Raises:
            InputError: a state of another network, or of another number of steps.
        """
        try:
            self.trainer.load_state_dict(state["trainer"], epochs=state["epoch"] + 1)
        except InputError as error:
            raise InputError(f"{state_path(self.out)}: {error}; --overwrite starts again") from error
        self.best = state["best"]
        return int(state["epoch"]) + 1

    def save(self, epoch: int, metrics: Metrics) -> None:
        """Writes the best and the last model, then the state that says that they are written."""
        figures = {name: value for name, value in metrics.items() if name.startswith("map")}
        card = replace(
            self.card,
            training={**self.card.training, "epochs": epoch + 1},
            metrics=figures,
            calibration=self.evaluation.calibration if self.evaluation and figures else None,
        )
        if figures.get("map", -1.0) > self.best:
            self.best = figures["map"]
            forget_evaluation(self.out / BEST)
            save_model(self.out / BEST, self.trainer.evaluated, self.config, card)
        forget_evaluation(self.out)
        save_model(self.out, self.trainer.evaluated, self.config, card)
        write_state(self.out, {"epoch": epoch, "best": self.best, "trainer": self.trainer.state_dict()})
