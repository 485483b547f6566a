"""A classifier of whole videos for a model that finds proposals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from actionformer.checks import check_video_classes, tell
from actionformer.core.errors import InputError
from actionformer.core.locks import sole_writer
from actionformer.core.words import plural
from actionformer.data.collection import FeaturedVideo, Paths, collect
from actionformer.data.split import with_held_out
from actionformer.data.statistics import FeatureStatistics
from actionformer.formats.annotations import read_annotations
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.model_directory import load_settings, save_classifier
from actionformer.nn.video_classifier import VideoClassifier
from actionformer.recipes.evaluate import trained_on
from actionformer.recipes.given import check_to_classify
from actionformer.recipes.run_directory import forget_evaluation
from actionformer.settings.config import Config
from actionformer.training.classifier import train_classifier


def classify(
    run: str | Path,
    *,
    annotations: str | Path | None = None,
    features: Paths | None = None,
    skip_missing: bool = False,
    other_timing: bool = False,
    device: str = "cpu",
) -> Detector:
    """Trains a classifier of whole videos, which gives the proposals of a class-agnostic model their classes.

    It learns from the same features, takes seconds, and is kept in the model directory: from then on what the model
    finds has classes. `train --training.classifier` does this by itself. Good where a video has one or two classes.

    Args:
        run: a model directory of one class.
        annotations: ActivityNet JSON with the classes; by default what the model was trained with.
        features: folders of feature files; by default those it was trained with.
        skip_missing: go on without videos that have no features.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
        device: where to compute: cpu, cuda, cuda:1, ...

    Returns:
        The model with its classifier.

    Raises:
        InputError: no model directory, a model with classes of its own, annotations of one class, or features that
            cannot be used.
    """
    run = Path(run)
    config, card = load_settings(run)
    annotations, features = trained_on(run, card, annotations, features)
    truth = read_annotations(annotations)
    if len(card.class_names) > 1:
        raise InputError(f"{run}: has {plural(len(card.class_names), 'class')} of its own and needs no classifier")
    check_to_classify(config, truth)
    collection = collect(
        with_held_out(truth, card.held_out).subset(config.data.train_subset),
        features,
        config.data,
        width=config.model.input_width,
        made_for=card.features,
        skip_missing=skip_missing,
        other_timing=other_timing,
    )
    found = check_video_classes([one.video for one in collection.videos], config.fusion.classes_per_video)
    tell(found, f"{truth.source}, subset {', '.join(config.data.train_subset)}")
    statistics = FeatureStatistics((one.video.id, one.features) for one in collection.videos)
    classifier = learned_classifier(collection.videos, truth.class_names, statistics, config, device)
    with sole_writer(run):
        config, card = load_settings(run)  # it may have been trained further
        forget_evaluation(run)
        save_classifier(run, classifier, config, replace(card, video_classes=truth.class_names))
    return load(run, device=device)


def learned_classifier(
    videos: Sequence[FeaturedVideo],
    class_names: Sequence[str],
    statistics: FeatureStatistics,
    config: Config,
    device: str,
) -> VideoClassifier:
    """The classifier of these videos.

    Args:
        videos: to learn from, with labels of `class_names`.
        class_names: of all classes.
        statistics: of the videos' features.
        config: all settings.
        device: where to compute.
    """
    learned = [(one.features, one.video.labels.tolist()) for one in videos]
    return train_classifier(learned, len(class_names), statistics, seed=config.training.seed, device=device)
