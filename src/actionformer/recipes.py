"""What the verbs do: training with evaluation, evaluation of a run, detection in files, the demo."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import nn

from actionformer.config import Config, load_config
from actionformer.data.annotations import Annotations, read_annotations
from actionformer.data.collection import Collection, FeaturedVideo, collect, common_spec
from actionformer.data.dataset import (
    EpochLoader,
    TrainingSet,
    TrainingVideo,
    feature_statistics,
    place_on_grid,
)
from actionformer.detections import Detections, write_results
from actionformer.errors import InputError
from actionformer.evaluation import Report, evaluate
from actionformer.inference.detector import Detector, load
from actionformer.model import ActionFormer, build_model
from actionformer.model.build import EMPTY_CLASS_PRIOR, set_class_prior
from actionformer.model_directory import CARD, ModelCard, load_model, load_settings, save_model
from actionformer.training.checkpoints import read_state, write_state
from actionformer.training.journal import Journal
from actionformer.training.loop import Metrics, Trainer, fit, steps_per_epoch

Paths = str | Path | Sequence[str | Path]
BEST = "best"
DETECTIONS, REPORT = "detections.json", "evaluation.json"


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
    device: str = "cpu",
    console: Console | None = None,
) -> Detector:
    """Trains a model and writes a run directory: the last model, in `best/` the best one, and how it got there.

    Args:
        config: a preset's name, a TOML file or settings.
        annotations: ActivityNet JSON, or what was read from it.
        features: a folder of feature files; several are joined by channel.
        out: the run directory.
        init: a model directory to start from; it may have other classes or another input width.
        resume: continue the run in `out`, which then ends as if it had never stopped.
        overwrite: remove what is in `out` and start again.
        skip_missing: go on without videos that have no features.
        device: "cpu", "cuda", ...
        console: where progress is shown; by default nowhere.

    Returns:
        The detector of the last model.

    Raises:
        InputError: anything in the settings, annotations or features that cannot be used.
    """
    console = console or Console(quiet=True)
    out = Path(out)
    config = load_config(config)
    if not isinstance(annotations, Annotations):
        annotations = read_annotations(annotations)
    annotations = _with_classes_of(config, annotations)
    collection = collect(annotations.subset(config.data.train_subset), features, config.data, skip_missing=skip_missing)
    config = _completed(config, annotations, collection, features)
    test = _test_videos(config, annotations, features, skip_missing, console)
    _prepare(out, config, resume=resume, overwrite=overwrite)

    videos = place_on_grid([(v.video, v.features, v.grid) for v in collection.videos], config.data.resize)
    card = ModelCard(
        class_names=annotations.class_names,
        features=common_spec(collection.videos),
        training={
            "annotations": annotations.source,
            "features": [str(folder) for folder in _as_list(features)],
            "subset": list(config.data.train_subset),
            "videos": len(videos),
            "actions": sum(len(video.segments) for video in videos),
        },
    )
    state = read_state(out) if resume else None
    model = _initial_model(config, card, videos, init)
    loader = EpochLoader(
        TrainingSet(videos, data=config.data, max_length=config.model.max_length, seed=config.training.seed),
        training=config.training,
        model=config.model,
    )
    steps = steps_per_epoch(loader, config.training.accumulate)
    trainer = Trainer(model, config, steps_per_epoch=steps, device=device)
    run = _Run(out, config, card, trainer, best=-1.0)
    first_epoch = 0
    if state is not None:
        first_epoch = run.restore(state)
    total = config.training.warmup_epochs + config.training.epochs
    with Journal(out, first_epoch=first_epoch, epochs=total, steps_per_epoch=steps, console=console) as journal:
        fit(
            trainer,
            loader,
            first_epoch=first_epoch,
            observer=journal,
            evaluate=_evaluator(config, card, annotations, test, device) if test is not None else None,
            save=run.save,
        )
    return load(out, device=device)


class _Run:
    """Writes the models and the state of a run after every epoch."""

    def __init__(self, out: Path, config: Config, card: ModelCard, trainer: Trainer, best: float) -> None:
        self.out, self.config, self.card, self.trainer, self.best = out, config, card, trainer, best

    def restore(self, state: Mapping[str, Any]) -> int:
        """Continues from a state; returns the first epoch to train."""
        self.trainer.load_state_dict(state["trainer"])
        self.best = state["best"]
        return int(state["epoch"]) + 1

    def save(self, epoch: int, metrics: Metrics) -> None:
        """Writes the best and the last model, then the state that says that they are written."""
        figures = {name: value for name, value in metrics.items() if name.startswith("map")}
        card = replace(self.card, training={**self.card.training, "epochs": epoch + 1}, metrics=figures)
        if figures.get("map", -1.0) > self.best:
            self.best = figures["map"]
            save_model(self.out / BEST, self.trainer.evaluated, self.config, card)
        save_model(self.out, self.trainer.evaluated, self.config, card)
        write_state(self.out, {"epoch": epoch, "best": self.best, "trainer": self.trainer.state_dict()})


def _with_classes_of(config: Config, annotations: Annotations) -> Annotations:
    """Annotations with as many classes as the settings ask for: one for proposals, or more than there are names."""
    wanted, names = config.model.num_classes, annotations.class_names
    if wanted is None or wanted == len(names):
        return annotations
    if wanted == 1:
        videos = {k: replace(v, labels=np.zeros_like(v.labels)) for k, v in annotations.videos.items()}
        return replace(annotations, videos=videos, class_names=("action",))
    if wanted < len(names):
        raise InputError(f"{annotations.source}: {len(names)} classes, model.num_classes is {wanted}")
    return replace(annotations, class_names=names + tuple(f"class_{i}" for i in range(len(names), wanted)))


def _completed(config: Config, annotations: Annotations, collection: Collection, features: Paths) -> Config:
    """The settings with what the data tells: input width and number of classes."""
    width = collection.videos[0].features.shape[1]
    given = config.model.input_dim
    if given is None and config.model.projection is not None:
        given = tuple(np.load(path, mmap_mode="r").shape[1] for path in collection.videos[0].features.paths)
    if given is not None and (sum(given) if isinstance(given, tuple) else given) != width:
        raise InputError(f"features have {width} channels, model.input_dim is {given}")
    return config.replace(
        model={"input_dim": width if given is None else given, "num_classes": len(annotations.class_names)}
    )


def _test_videos(
    config: Config, annotations: Annotations, features: Paths, skip_missing: bool, console: Console
) -> Collection | None:
    """The evaluation subset with its features, or None, with a warning, if there is no such subset."""
    if not annotations.has_subset(config.data.test_subset):
        subsets = ", ".join(config.data.test_subset)
        console.print(f"[yellow]no video in subset {subsets}: training goes without evaluation")
        return None
    subset = annotations.subset(config.data.test_subset)
    if not any(len(video.segments) for video in subset.videos.values()):
        console.print("[yellow]no action in the evaluation subset: training goes without evaluation")
        return None
    return collect(subset, features, config.data, width=config.model.input_width, skip_missing=skip_missing)


def _prepare(out: Path, config: Config, *, resume: bool, overwrite: bool) -> None:
    """Makes the run directory, or checks that the one there may be used."""
    occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if occupied and not (resume or overwrite):
        raise InputError(f"{out}: already exists; --resume continues that run, --overwrite starts again")
    if occupied and not (out.is_dir() and _is_run(out)):
        raise InputError(f"{out}: is not a run directory, it is left alone; choose another")
    if occupied and overwrite and not resume:
        shutil.rmtree(out)
    if occupied and resume and (out / "config.toml").is_file():
        _same_settings(load_config(out), config, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made ({error.strerror})") from error


def _is_run(directory: Path) -> bool:
    return any((directory / name).exists() for name in (CARD, "metrics.jsonl", "resume", "events"))


def _same_settings(before: Config, now: Config, out: Path) -> None:
    for section, settings in before:
        for name, value in settings.model_dump().items():
            given = getattr(getattr(now, section), name)
            if given != value and (section, name) != ("training", "workers"):
                raise InputError(
                    f"{out}: was trained with {section}.{name} {value}, now {given}: a run resumes as it was"
                )


def _initial_model(
    config: Config, card: ModelCard, videos: list[TrainingVideo], init: str | Path | None
) -> ActionFormer:
    torch.manual_seed(config.training.seed)
    model = build_model(config.model)
    if config.data.normalize:
        mean, deviation = feature_statistics(videos)
        model.normalizer.mean.copy_(mean)
        model.normalizer.deviation.copy_(deviation)
    if config.training.empty_class_prior:
        present = {int(label) for video in videos for label in video.labels}
        empty = [label for label in range(len(card.class_names)) if label not in present]
        set_class_prior(model, EMPTY_CLASS_PRIOR, empty)
    if init is not None:
        _start_from(model, card, init)
    return model


def _start_from(model: ActionFormer, card: ModelCard, init: str | Path) -> None:
    """Copies the weights of another model: of the classifier the rows of classes that both know by name, of a network
    with another input width everything but the first layer.

    Raises:
        InputError: a weight of another shape elsewhere.
    """
    other, _, other_card = load_model(init)
    own, theirs = model.state_dict(), other.state_dict()
    shared = [
        (row, other_card.class_names.index(name))
        for row, name in enumerate(card.class_names)
        if name in other_card.class_names
    ]
    same_input = own["normalizer.mean"].shape == theirs["normalizer.mean"].shape
    for name, tensor in own.items():
        if name.startswith("classifier.output."):
            for row, origin in shared:
                tensor[row] = theirs[name][origin]
        elif name not in theirs or tensor.shape != theirs[name].shape:
            first_layer = name.startswith(("normalizer.", "embedding.projections.", "embedding.convs.0."))
            if same_input or not first_layer:
                found = tuple(theirs[name].shape) if name in theirs else "nothing"
                raise InputError(f"{init}: {name} is {found}, the settings call for {tuple(tensor.shape)}")
        elif not name.startswith("normalizer."):
            tensor.copy_(theirs[name])


def _evaluator(
    config: Config, card: ModelCard, annotations: Annotations, test: Collection, device: str
) -> Callable[[nn.Module], Metrics]:
    subset = annotations.subset(config.data.test_subset)

    def figures(model: nn.Module) -> Metrics:
        assert isinstance(model, ActionFormer)
        detections = detect_videos(Detector(model, config, card, device=device), test.videos)
        report = evaluate(subset, detections, tiou=config.evaluation.tiou, recall_at=config.evaluation.recall_at)
        named = {f"map@{tiou:g}": value for tiou, value in zip(report.tiou, report.map, strict=True)}
        return {"map": report.average, **named}

    return figures


def detect_videos(detector: Detector, videos: Sequence[FeaturedVideo]) -> dict[str, Detections]:
    """Detections of annotated videos, with their own timing and duration."""
    return detector.detect_many((video.video.id, _arguments(video)) for video in videos)


def _arguments(video: FeaturedVideo) -> dict[str, Any]:
    grid = video.grid
    return {
        "features": video.features,
        "fps": grid.fps,
        "stride": grid.stride,
        "num_frames": grid.num_frames,
        "duration": video.video.duration or video.spec.duration,
    }


def evaluate_run(
    run: str | Path,
    *,
    annotations: str | Path | None = None,
    features: Paths | None = None,
    subset: str | Sequence[str] | None = None,
    tiou: str | Sequence[float] | None = None,
    skip_missing: bool = False,
    device: str = "cpu",
    precision: str = "float32",
) -> Report:
    """Detects in the evaluation subset and scores that; leaves detections.json and evaluation.json in the run.

    Args:
        run: a model directory; annotations, features, subset and tIoU are by default those of its training.
    """
    run = Path(run)
    config, card = load_settings(run)
    annotations = annotations or card.training.get("annotations")
    features = features or card.training.get("features")
    if annotations is None or features is None:
        raise InputError(f"{run}: does not say what it was trained on: give --annotations and --features")
    truth = read_annotations(annotations)
    if len(card.class_names) > 1:
        truth = read_annotations(annotations, class_names=card.class_names)
    else:
        truth = _with_classes_of(config, truth)
    truth = truth.subset(subset or config.data.test_subset)
    collection = collect(truth, features, config.data, width=config.model.input_width, skip_missing=skip_missing)
    detections = detect_videos(load(run, device=device, precision=precision), collection.videos)
    report = evaluate(truth, detections, tiou=tiou or config.evaluation.tiou, recall_at=config.evaluation.recall_at)
    if collection.missing:
        counts = replace(
            report.counts,
            skipped_videos=len(collection.missing),
            skipped_ground_truths=collection.missing_actions,
        )
        report = replace(report, counts=counts)
    write_results(run / DETECTIONS, detections)
    report.to_json(run / REPORT)
    return report


def _as_list(paths: Paths) -> Sequence[str | Path]:
    return [paths] if isinstance(paths, str | Path) else paths
