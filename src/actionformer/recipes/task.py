"""What a training needs of the user's files, checked: videos to learn from and to evaluate on, complete settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actionformer.backbones import BACKBONES
from actionformer.checks import check_evaluation, check_training, check_video_classes, tell
from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError, warn
from actionformer.core.words import plural
from actionformer.data.collection import (
    Collection,
    FeaturedVideo,
    as_list,
    collect,
    common_spec,
    with_classes,
)
from actionformer.data.dataset import TrainingSet
from actionformer.data.fingerprint import annotations_hash, features_hash
from actionformer.data.split import HELD_OUT, can_be_split
from actionformer.data.windows import training_set
from actionformer.features import FeatureSpec
from actionformer.model_directory import ModelCard
from actionformer.recipes.given import Given
from actionformer.sensors.columns import Columns
from actionformer.settings.config import Config


@dataclass(frozen=True)
class Task:
    """What is trained, on what, and what it is evaluated on."""

    config: Config
    annotations: Annotations
    """With the classes that detections will have."""
    collection: Collection
    training: TrainingSet
    """The same videos, as the network sees them in training."""
    test: Collection | None
    card: ModelCard
    proposer: Path | None = None
    """The model directory that proposes what a second stage learns to judge, where a model does."""

    def started_from(self, init_hash: str | None) -> Task:
        """The same, whose card says which model its weights began with; None: they are fresh."""
        if init_hash is None:
            return self
        return replace(self, card=replace(self.card, training={**self.card.training, "init_hash": init_hash}))


def gather(given: Given) -> Task:
    """Everything that training needs of the user's files, checked.

    Raises:
        InputError: see `train`.
    """
    config, annotations = given.config, given.truth
    collection = collect(
        annotations.subset(config.data.train_subset),
        given.features,
        config.data,
        width=config.model.input_width if config.model.input_dim is not None else None,
        skip_missing=given.skip_missing,
        other_timing=given.other_timing,
    )
    _check_axes(config, common_spec(collection.videos))
    if not any(len(one.video.segments) for one in collection.videos):
        raise InputError(f"{annotations.source}: no action in subset {', '.join(config.data.train_subset)} to learn")
    collection = _with_proposals(collection, given)
    seen_as = with_classes(annotations, config.model.num_classes)  # by the network
    placed = [replace(one, video=seen_as.videos[one.video.id]) for one in collection.videos]
    config = _completed(config, seen_as, collection)
    training = training_set(placed, data=config.data, max_length=config.model.max_length, seed=config.training.seed)
    found = check_training(Collection(placed, collection.missing), training, config, seen_as.class_names)
    if config.training.classifier:
        found += check_video_classes([one.video for one in collection.videos], config.fusion.classes_per_video)
    tell(found, f"{annotations.source}, subset {', '.join(config.data.train_subset)}")
    test = _test_videos(config, given, collection)
    seen = collection.videos + (test.videos if test is not None else [])
    card = ModelCard(
        class_names=seen_as.class_names,
        video_classes=annotations.class_names if config.training.classifier else (),
        features=common_spec(collection.videos),
        training={
            **_learned(given, collection),
            **_held_out(annotations, config),
            "annotations_hash": annotations_hash(seen),
            "features_hash": features_hash(seen),
            **_proposed(given, seen),
        },
    )
    if skipped := len(collection.missing) + (len(test.missing) if test is not None else 0):
        warn(f"{plural(skipped, 'video')} without features skipped", stacklevel=3)
    proposer = None if given.proposals is None else given.proposals.model
    return Task(config, annotations, collection, training, test, card, proposer)


def _check_axes(config: Config, features: FeatureSpec) -> None:
    """Checks that features whose sensors are to be turned are windows of as many axes, as far as they say.

    Raises:
        InputError: they are not.
    """
    axes = config.data.sensor_axes
    for backbone in [one.backbone or "" for one in features.parts if axes is not None]:
        kind, _, columns = backbone.partition(":")
        if kind in BACKBONES and kind != "windows":
            raise InputError(
                f"data.sensor_axes {axes}: sensors can be turned where features are windows of readings, and these are "
                f"{kind}: leave out data.sensor_axes and data.sensor_rotation"
            )
        count = len(Columns.parsed(columns).channels)
        if kind == "windows" and count and len(features.parts) == 1 and count != axes:
            raise InputError(f"data.sensor_axes {axes}: features are windows of {count} columns ({backbone}): say so")


def _with_proposals(collection: Collection, given: Given) -> Collection:
    if given.proposals is None:
        return collection
    return replace(collection, videos=given.proposals.added(collection.videos, given.config.data.prefix))


def _learned(given: Given, collection: Collection) -> dict[str, Any]:
    """What the card says of the videos that are learned from, and where they are."""
    source = Path(given.annotations.source)
    return {
        "annotations": str(source.resolve()) if source.is_file() else None,
        "features": [str(Path(folder).resolve()) for folder in as_list(given.features)],
        "subset": list(given.config.data.train_subset),
        "videos": len(collection.videos),
        "actions": sum(len(one.video.segments) for one in collection.videos),
    }


def _proposed(given: Given, seen: Sequence[FeaturedVideo]) -> dict[str, str]:
    """What the card says of proposals: their file, for later calls, and what tells them from others."""
    source = given.proposals
    if source is None:
        return {}
    said = {} if source.file is None else {"proposals": source.file}
    return said | {"proposals_hash": source.hash(seen)}


def _held_out(annotations: Annotations, config: Config) -> dict[str, list[str]]:
    """What the card says of the videos that a split holds out, if there is one."""
    if config.data.test_subset != (HELD_OUT,) or not annotations.has_subset(HELD_OUT):
        return {}
    return {"held_out": list(annotations.subset(HELD_OUT).videos)}


def _completed(config: Config, annotations: Annotations, collection: Collection) -> Config:
    """The settings with what the data tells: input width and number of classes."""
    input_dim = config.model.input_dim or collection.videos[0].features.shape[1]
    return config.replace(model={"input_dim": input_dim, "num_classes": len(annotations.class_names)})


def _test_videos(config: Config, given: Given, trained: Collection) -> Collection | None:
    """The evaluation subset with its features, or None, with a warning, where it cannot be evaluated on."""
    annotations = given.truth
    if not annotations.has_subset(config.data.test_subset):
        subsets = ", ".join(config.data.test_subset)
        advice = (
            "--validation 0.25 holds a quarter of the training videos out for it"
            if can_be_split(annotations.subset(config.data.train_subset))
            else "nothing tells how good the model is. Of one video with actions none can be held out: "
            "label a second one, or cut it in two"
        )
        warn(f"no video in subset {subsets}: training runs without evaluation; {advice}", stacklevel=3)
        return None
    subset = annotations.subset(config.data.test_subset)
    if not any(len(video.segments) for video in subset.videos.values()):
        warn("no action in the evaluation subset: training runs without evaluation", stacklevel=3)
        return None
    collection = collect(
        subset,
        given.features,
        config.data,
        width=config.model.input_width,
        made_for=common_spec(trained.videos),
        skip_missing=given.skip_missing,
        other_timing=given.other_timing,
    )
    collection = _with_proposals(collection, given)
    if given.proposals is not None:
        given.proposals.tell_learned(collection.videos)
    findings = check_evaluation(collection, trained, annotations.class_names)
    hopeless = any(finding.severity == "error" for finding in findings)
    for finding in findings:
        end = ": training runs without evaluation" if finding.severity == "error" else ""
        warn(f"{annotations.source}, subset {', '.join(config.data.test_subset)}: {finding}{end}", stacklevel=3)
    return None if hopeless else collection
