"""Training: from annotations and features to a run directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from actionformer.checks import check_evaluation, check_rate, check_training, check_unlike, check_values, tell
from actionformer.core.annotations import Annotations
from actionformer.core.devices import find_device
from actionformer.core.errors import InputError, warn
from actionformer.core.locks import sole_writer
from actionformer.core.run_files import BEST
from actionformer.core.terminal import plain_console
from actionformer.data.collection import Collection, Paths, as_list, collect, common_spec, with_classes
from actionformer.data.dataset import EpochLoader, TrainingSet
from actionformer.data.fingerprint import annotations_hash, features_hash
from actionformer.data.statistics import FeatureStatistics
from actionformer.data.windows import training_set
from actionformer.detectors.base import architecture_of
from actionformer.formats.annotations import read_annotations
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.model_directory import ModelCard, save_model
from actionformer.recipes.run_directory import check_unoccupied, clear, forget_evaluation, resumed_state
from actionformer.recipes.start import check_start, initial_model
from actionformer.recipes.validation import Validation
from actionformer.settings.config import Changes, Config
from actionformer.settings.loading import load_config
from actionformer.training.checkpoints import state_path, write_state
from actionformer.training.loop import Metrics, Trainer, fit, steps_per_epoch
from actionformer.training.metrics_log import MetricsLog
from actionformer.training.progress import TrainingProgress


def train(
    config: str | Path | Config,
    annotations: str | Path | Annotations,
    features: Paths,
    out: str | Path,
    *,
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
        config: a preset's name or a TOML file.
        annotations: ActivityNet JSON.
        features: a folder of feature files; several are joined by channel.
        out: the run directory to write.
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
    config = load_config(config, settings)
    find_device(device)
    check_unoccupied(out, resume=resume, overwrite=overwrite)
    with sole_writer(out):
        check_unoccupied(out, resume=resume, overwrite=overwrite)  # another one may have ended there meanwhile
        task = _gather(config, annotations, features, skip_missing, other_timing)
        if init is not None and not other_timing:
            check_start(init, task.card)
        _train(task, out, init=init, resume=resume, device=device, console=console or plain_console(quiet=True))
    return load(out, device=device)


def _train(task: _Task, out: Path, *, init: str | Path | None, resume: bool, device: str, console: Console) -> None:
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


@dataclass(frozen=True)
class _Task:
    """What is trained, on what, and what it is evaluated on."""

    config: Config
    annotations: Annotations
    collection: Collection
    training: TrainingSet
    """The same videos, as training sees them."""
    test: Collection | None
    card: ModelCard


def _gather(
    config: Config, annotations: str | Path | Annotations, features: Paths, skip_missing: bool, other_timing: bool
) -> _Task:
    """Everything that training needs of the user's files, checked."""
    if not isinstance(annotations, Annotations):
        annotations = read_annotations(annotations)
    annotations = with_classes(annotations, config.model.num_classes)
    collection = collect(
        annotations.subset(config.data.train_subset),
        features,
        config.data,
        width=config.model.input_width if config.model.input_dim is not None else None,
        skip_missing=skip_missing,
        other_timing=other_timing,
    )
    actions = sum(len(one.video.segments) for one in collection.videos)
    if not actions:
        raise InputError(f"{annotations.source}: no action in subset {', '.join(config.data.train_subset)} to learn")
    config = _completed(config, annotations, collection)
    source = Path(annotations.source)
    card = ModelCard(
        class_names=annotations.class_names,
        features=common_spec(collection.videos),
        training={
            "annotations": str(source.resolve()) if source.is_file() else None,
            "features": [str(Path(folder).resolve()) for folder in as_list(features)],
            "subset": list(config.data.train_subset),
            "videos": len(collection.videos),
            "actions": actions,
        },
    )
    training = training_set(
        collection.videos, data=config.data, max_length=config.model.max_length, seed=config.training.seed
    )
    tell(
        check_training(collection, training, config, annotations.class_names),
        f"{annotations.source}, subset {', '.join(config.data.train_subset)}",
    )
    test = _test_videos(config, annotations, features, collection, skip_missing, other_timing)
    seen = collection.videos + (test.videos if test is not None else [])
    hashes = {"annotations_hash": annotations_hash(seen), "features_hash": features_hash(seen)}
    card = replace(card, training={**card.training, **hashes})
    if skipped := len(collection.missing) + (len(test.missing) if test is not None else 0):
        warn(f"{skipped} videos without features are skipped", stacklevel=3)
    return _Task(config, annotations, collection, training, test, card)


def _measured(task: _Task) -> FeatureStatistics:
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


def _validation(task: _Task, device: str) -> Validation | None:
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


def _completed(config: Config, annotations: Annotations, collection: Collection) -> Config:
    """The settings with what the data tells: input width and number of classes."""
    input_dim = config.model.input_dim or collection.videos[0].features.shape[1]
    return config.replace(model={"input_dim": input_dim, "num_classes": len(annotations.class_names)})


def _test_videos(
    config: Config,
    annotations: Annotations,
    features: Paths,
    trained: Collection,
    skip_missing: bool,
    other_timing: bool,
) -> Collection | None:
    """The evaluation subset with its features, or None, with a warning, where it cannot be evaluated on."""
    if not annotations.has_subset(config.data.test_subset):
        subsets = ", ".join(config.data.test_subset)
        warn(f"no video in subset {subsets}: training runs without evaluation", stacklevel=3)
        return None
    subset = annotations.subset(config.data.test_subset)
    if not any(len(video.segments) for video in subset.videos.values()):
        warn("no action in the evaluation subset: training runs without evaluation", stacklevel=3)
        return None
    collection = collect(
        subset,
        features,
        config.data,
        width=config.model.input_width,
        made_for=common_spec(trained.videos),
        skip_missing=skip_missing,
        other_timing=other_timing,
    )
    findings = check_evaluation(collection, trained, annotations.class_names)
    hopeless = any(finding.severity == "error" for finding in findings)
    for finding in findings:
        end = ": training runs without evaluation" if finding.severity == "error" else ""
        warn(f"{annotations.source}, subset {', '.join(config.data.test_subset)}: {finding}{end}", stacklevel=3)
    return None if hopeless else collection
