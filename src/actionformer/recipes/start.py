"""The weights that training starts from: fresh, or those of another model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from actionformer.core.errors import InputError
from actionformer.data.dataset import TrainingVideo
from actionformer.data.statistics import FeatureStatistics
from actionformer.detectors.base import architecture_of
from actionformer.features import FeatureSpec, check_backbone, check_timing
from actionformer.model_directory import ModelCard, load_model, load_settings
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.network import Network
from actionformer.nn.settings import PyramidSettings
from actionformer.settings.config import Config

EMPTY_CLASS_PRIOR = 1e-6


def initial_model(
    config: Config,
    card: ModelCard,
    videos: Sequence[TrainingVideo],
    statistics: FeatureStatistics | None,
    init: str | Path | None,
) -> Network:
    """A network for these classes that normalises by `statistics`, if given; with `init`, that model's weights."""
    torch.manual_seed(config.training.seed)
    architecture = architecture_of(config)
    model = architecture.network()
    if statistics is not None:
        mean, deviation = statistics.mean_and_deviation(within_videos=config.data.center_videos)
        model.normalizer.mean.copy_(mean)
        model.normalizer.deviation.copy_(deviation)
    if config.training.empty_class_prior:
        present = {int(label) for video in videos for label in video.labels}
        empty = [label for label in range(len(card.class_names)) if label not in present]
        model.set_class_prior(EMPTY_CLASS_PRIOR, empty)
    architecture.keep_statistics(model, _truth(videos, config.data.resize))
    if init is not None:
        check_init(init, config)
        _start_from(model, card, init)
    return model


def _truth(videos: Sequence[TrainingVideo], resize: int | None) -> GroundTruth:
    """The actions of all training videos, and their proposals."""
    lengths = [resize or video.features.shape[0] for video in videos]
    return GroundTruth(
        [torch.from_numpy(video.segments) for video in videos],
        [torch.from_numpy(video.labels) for video in videos],
        lengths,
        padded_length=max(lengths, default=0),
        proposals=[torch.from_numpy(video.proposals) for video in videos if video.proposals is not None],
    )


def check_init(init: str | Path, config: Config) -> None:
    """Checks that there is a single model to start from, of the detector that the settings are of.

    Raises:
        InputError: there is none, it is of another (names both), or it is an ensemble.
    """
    other = load_settings(init)[0].model
    wanted, found = config.model.detector, other.detector
    if wanted != found:
        raise InputError(f"{init}: is a model of {found}, the settings are of {wanted}: start from one of {wanted}")
    if isinstance(other, PyramidSettings) and other.members > 1:
        raise InputError(f"{init}: is an ensemble of {other.members} networks: start from one of its runs")


def check_start(init: str | Path, features: FeatureSpec) -> None:
    """Checks that a model to start from was trained on features that lie in time as these.

    Raises:
        InputError: they do not; names both.
    """
    config, other = load_settings(init)
    if config.data.resize is None:
        check_timing(features, other.features, str(init))


def _start_from(model: Network, card: ModelCard, init: str | Path) -> None:
    """Copies the weights of another model: of the classifier the rows of classes that both know by name, of a network
    with another input width everything but the first layer.

    Raises:
        InputError: a weight of another shape elsewhere, or features of another backbone with as many channels.
    """
    other, _, other_card = load_model(init)
    own, theirs = model.state_dict(), other.state_dict()
    shared = [
        (row, other_card.class_names.index(name))
        for row, name in enumerate(card.class_names)
        if name in other_card.class_names
    ]
    same_input = own["normalizer.mean"].shape == theirs["normalizer.mean"].shape
    if same_input:
        check_backbone(card.features, other_card.features)
    if dropped := [name for name in theirs if name not in own and (same_input or not _is_first_layer(model, name))]:
        raise InputError(f"{init}: has {dropped[0]}, for which the settings have no place: another model.* setting?")
    for name, tensor in own.items():
        if name.startswith(model.CLASS_ROWS) and tensor.shape[1:] == theirs[name].shape[1:]:
            for row, origin in shared:
                tensor[row] = theirs[name][origin]
        elif name not in theirs or tensor.shape != theirs[name].shape:
            if same_input or not _is_first_layer(model, name):
                found = tuple(theirs[name].shape) if name in theirs else "nothing"
                raise InputError(f"{init}: {name} is {found}, the settings call for {tuple(tensor.shape)}")
        elif not name.startswith("normalizer."):
            tensor.copy_(theirs[name])


def _is_first_layer(model: Network, name: str) -> bool:
    return name.startswith(model.FIRST_LAYER)
