"""Training: from annotations and features to a run directory."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from actionformer.checks import check_rate, check_unlike, check_values, tell
from actionformer.core import ranks
from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError, warn
from actionformer.core.files import write_whole
from actionformer.core.progress import OnProgress
from actionformer.core.run_files import RESUME
from actionformer.core.terminal import plain_console, telling_of_a_stop
from actionformer.data.collection import Paths
from actionformer.data.dataset import EpochLoader
from actionformer.data.groups import groups_of
from actionformer.data.split import check_share
from actionformer.data.statistics import FeatureStatistics
from actionformer.detectors.base import architecture_of
from actionformer.hub import model_folder
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.model_directory import load_classifier, load_settings
from actionformer.nn.network import Network
from actionformer.nn.video_classifier import VideoClassifier
from actionformer.recipes.classify import learned_classifier
from actionformer.recipes.given import Given, TrainingData
from actionformer.recipes.held_out import hold_out
from actionformer.recipes.proposals import Proposals, model_hash, source_of
from actionformer.recipes.run import Run
from actionformer.recipes.run_directory import check_elsewhere, check_start_of, clear, is_run, own_run, resumed_state
from actionformer.recipes.start import check_init, check_start, initial_model
from actionformer.recipes.task import Task, gather
from actionformer.recipes.validation import Validation
from actionformer.settings.config import Changes, Config, flat
from actionformer.training.loggers.base import Logger, Loggers
from actionformer.training.loggers.index import LoggerName, loggers_of
from actionformer.training.loop import Trainer, fit, steps_per_epoch
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
    proposals: Proposals | None = None,
    device: str = "cpu",
    settings: Changes | None = None,
    log: Sequence[LoggerName | Logger] | None = None,
    on_progress: OnProgress | None = None,
    console: Console | None = None,
) -> Detector:
    """Trains a model and evaluates it on the way.

    The run directory gets the last model, in best/ the best one, and how it got there. Started by torchrun, processes
    share every batch, and where one of them is lost torchrun starts all again, which go on with the run.

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
            is on the evaluation subset, and where there is none, auto holds a quarter out, one video at least; 0 holds
            none out. Videos of one group (a field `group` of the annotations, or a part of their ids such as
            `subject01`) stay together.
        init: a model directory, or a model of huggingface.co (hf://USER/MODEL), to start from; its classes and input
            width may differ. With `resume` it may be left out once the first epoch has ended; before, training
            begins again.
        resume: continue the run in OUT, which then ends as if it had never stopped.
        overwrite: remove the run in OUT and start again.
        skip_missing: go on without videos that have no features.
        other_timing: take features of several strides or windows, or of other timing than those of INIT.
        proposals: segments for a detector that judges them: a file of detections (ActivityNet JSON, JSON Lines or CSV),
            or a model directory of a detector on the same features, which the run then keeps.
        device: where to compute: cpu, cuda, cuda:1, ...
        settings: section -> setting -> value, of what is not to be as `config` has it.
        log: where figures go besides metrics.jsonl: tensorboard, wandb (Weights & Biases), mlflow, or a `Logger`; by
            default to TensorBoard, if that is installed.
        on_progress: is called with a `Progress` after every step and epoch.
        console: where progress is shown; by default nowhere.

    Returns:
        The detector of the last model; of several processes all but the first get a copy on the processor.

    Raises:
        InputError: anything in the settings, annotations or features that cannot be used.
    """
    out, init = Path(out), None if init is None else model_folder(init)
    loggers = loggers_of(log)
    if validation:  # 0 holds none out
        check_share(validation)
    with ranks.joined(device) as own_device:
        console = console if console is not None and ranks.first() else plain_console(quiet=True)
        again = ranks.from_first(lambda: ranks.begun(str(out)))
        resume, overwrite = resume or again, overwrite and not again
        with own_run(out, resume=resume, overwrite=overwrite):
            data = TrainingData(
                annotations=annotations,
                features=features,
                videos=videos,
                backbone=backbone,
                weights=weights,
                skip_missing=skip_missing,
                other_timing=other_timing,
                device=own_device,
                proposals=source_of(proposals, device=own_device, other_timing=other_timing, console=console),
            )
            given = data.given(config, settings)
            if init is not None:
                check_init(init, given.config)
            given = hold_out(given, validation, console, resumed=out if resume else None).completed(console)
            given = given.with_features(out, init=init, overwrite=overwrite, console=console)
            with telling_of_a_stop(console, lambda: _left_of(out)):
                train_on(
                    given,
                    out,
                    init=init,
                    resume=resume,
                    device=own_device,
                    console=console,
                    log=loggers,
                    on_progress=on_progress,
                )
        copy = ranks.from_first(lambda: load(out)) if ranks.count() > 1 else None
        return load(out, device=own_device) if copy is None or ranks.first() else copy


def _left_of(out: Path) -> str:
    """What a later call can go on with where a training is stopped, in words of its first process."""
    there = ranks.first() and (out / RESUME).exists()
    return "--resume goes on after the last epoch that had ended" if there else ""


def train_on(
    given: Given,
    out: Path,
    *,
    init: str | Path | None,
    resume: bool,
    device: str,
    console: Console,
    beside: Mapping[str, str] | None = None,
    log: Sequence[LoggerName | Logger] | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Trains in a directory that is this process's; other arguments and errors are those of `train`.

    What was there is touched when nothing more can be refused.

    Args:
        beside: name -> text of files that a fresh run has besides.
    """
    task = gather(given)
    if init is not None and not given.other_timing:
        check_start(init, task.card.features)
    config = task.config
    _check_shared(task)
    start = ranks.from_first(lambda: _start(task, out, init=init, resume=resume, device=device))
    task = task.started_from(start.init_hash)
    loader = EpochLoader(
        task.training,
        training=config.training,
        pad_to=architecture_of(config).training_length(),
        process=ranks.number(),
        processes=ranks.count(),
    )
    steps = steps_per_epoch(loader, config.training.accumulate)
    tell(check_rate(config, steps * config.training.all_epochs), "settings")
    trainer = Trainer(start.model, config, steps_per_epoch=steps, device=device)
    evaluation = _validation(task, start.classifier, device)
    run = Run(out, task, trainer, evaluation, start.classifier)
    first_epoch = run.restore(start.state) if start.state is not None else 0
    if not ranks.first():
        fit(trainer, loader, first_epoch=first_epoch, observer=None, evaluate=evaluation, save=None)
        return
    loggers = loggers_of(log)
    Loggers(loggers).check()
    clear(out, fresh=start.state is None)
    ranks.begin(str(out))
    for name, text in (beside or {}).items() if start.state is None else ():
        write_whole(out / name, text)
    progress = TrainingProgress(
        console,
        first_epoch=first_epoch,
        epochs=config.training.all_epochs,
        warmup_epochs=config.training.warmup_epochs,
        steps_per_epoch=steps,
        on_progress=on_progress,
    )
    with MetricsLog(
        out,
        first_epoch=first_epoch,
        steps_per_epoch=steps,
        progress=progress,
        loggers=loggers,
        settings=flat(config),
    ) as metrics_log:
        fit(
            trainer,
            loader,
            first_epoch=first_epoch,
            observer=metrics_log,
            evaluate=evaluation,
            save=run.save,
        )


def _check_shared(task: Task) -> None:
    """Checks that the processes of a training can share its batches, and that all were given the same.

    Raises:
        InputError: more processes than sequences in a batch, or other settings, annotations or features.
    """
    size = task.config.training.batch_size
    if size < ranks.count():
        raise InputError(
            f"training.batch_size is {size}, too few for {ranks.count()} processes that share every batch: raise it "
            "(a smaller training.accumulate then makes the same step), or start fewer"
        )
    known = ("annotations_hash", "features_hash", "proposals_hash")
    own = task.config, task.card.found_classes, [task.card.training.get(name) for name in known]
    if ranks.from_first(lambda: own) != own:
        raise InputError(
            f"{platform.node()}: process {ranks.number()} has other settings, annotations or features than process 0: "
            "give all hosts the same files, and install the same version on them"
        )


class Start(NamedTuple):
    """What training begins or goes on with, on the processor."""

    model: Network
    classifier: VideoClassifier | None
    state: dict[str, Any] | None
    """Of the run that is continued."""
    init_hash: str | None
    """What tells the model whose weights it began with; None with fresh ones."""


def _start(task: Task, out: Path, *, init: str | Path | None, resume: bool, device: str) -> Start:
    """A new model, or the run in a directory; of several processes the first one sends it to the others."""
    config = task.config
    init_hash = None if init is None else model_hash(Path(init))
    state = resumed_state(out, config, task.card) if resume else None
    if state is not None:
        if init_hash is not None:
            check_start_of(out, init_hash)
        begun_with = load_settings(out)[1].training.get("init_hash")
        return Start(architecture_of(config).network(), load_classifier(out, config, task.card), state, begun_with)
    if resume and is_run(out):
        begins = "fresh weights, as --init is not given" if init is None else f"the weights of {init}"
        warn(f"{out}: no epoch had ended there: training begins again, from {begins}", stacklevel=4)
    check_elsewhere(out, task.proposer)
    measured = _measured(task)
    classifier = _classifier(task, measured, device)
    statistics = measured if config.data.normalize else None
    model = initial_model(config, task.card, task.training.videos, statistics, init)
    return Start(model, None if classifier is None else classifier.cpu(), None, init_hash)


def _measured(task: Task) -> FeatureStatistics:
    """Reads all features once, before they cost a run: what training normalises by, and what is odd about them.

    Raises:
        InputError: features of either subset that cannot be read, or that say nothing.
    """
    statistics = FeatureStatistics((one.video.id, one.features) for one in task.collection.videos)
    found = [*check_values(statistics), *check_unlike(statistics, centred=task.config.data.center_videos)]
    tell(found, f"subset {', '.join(task.config.data.train_subset)}")
    evaluated = [] if task.test is None else task.test.videos
    for finding in check_values(FeatureStatistics((one.video.id, one.features) for one in evaluated)):
        warn(f"subset {', '.join(task.config.data.test_subset)}: {finding}", stacklevel=4)
    return statistics


def _classifier(task: Task, measured: FeatureStatistics, device: str) -> VideoClassifier | None:
    """The classifier of whole videos, if there is to be one: it is done before the first epoch, and stays as it is."""
    if not task.config.training.classifier:
        return None
    return learned_classifier(task.collection.videos, task.card.video_classes, measured, task.config, device)


def _validation(task: Task, classifier: VideoClassifier | None, device: str) -> Validation | None:
    if task.test is None:
        return None
    subset = task.annotations.subset(task.config.data.test_subset)
    learned = {video.id for video in task.training.videos}
    groups = groups_of(task.annotations)
    return Validation(
        subset, groups, task.test, task.config, task.card, learned=learned, device=device, classifier=classifier
    )
