"""The authors' checkpoints as model directories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from actionformer.core.errors import InputError, warn
from actionformer.core.locks import sole_writer
from actionformer.core.run_files import CARD, CLASSIFIER, EVALUATION, LOCK, MODEL
from actionformer.core.words import plural
from actionformer.data.collection import with_classes
from actionformer.detectors.base import architecture_of
from actionformer.formats.annotations import read_annotations
from actionformer.inference.detector import Detector
from actionformer.inference.loading import features_of
from actionformer.interop.index import REPOSITORIES, repository_with
from actionformer.interop.published_settings import read_configuration
from actionformer.interop.published_weights import (
    AVERAGED,
    load_published_weights,
    read_published_weights,
    with_classes_of,
)
from actionformer.interop.repository import Repository
from actionformer.model_directory import ModelCard, load_settings, replace_model
from actionformer.settings.config import Config
from actionformer.settings.loading import is_preset, load_config, published_shape
from actionformer.settings.model import listed

REPLACED = {*MODEL, CLASSIFIER, *EVALUATION, LOCK}
"""What a converted model is, and what evaluation leaves of it."""


def convert(
    config: str | Path,
    checkpoint: str | Path,
    directory: str | Path,
    *,
    flow: str | Path | None = None,
    annotations: str | Path | None = None,
) -> Detector:
    """Turns the authors' checkpoint into a model directory.

    The averaged weights are taken where there are some, the file is read as weights only, and padding, offsets and all
    numbers stay as published.

    Args:
        config: the YAML file published beside the checkpoint; for a detector whose repository has none, a preset or a
            TOML file of settings.
        checkpoint: the .pth.tar or .pth file.
        directory: the model directory to write.
        flow: of a detector with a network for RGB and one for optical flow, the checkpoint of the latter; the model is
            both, for features whose first channels are of RGB.
        annotations: an annotation file that names the classes; without it they are class_0, class_1, ...

    Returns:
        The detector that `load(directory)` gives.

    Raises:
        InputError: a key, value or weight that is not known or does not fit; it is named. Or a model lies there
            that is no converted one, which could not be made again.
    """
    directory = Path(directory)
    _check_replaceable(directory)
    checkpoints = [checkpoint] if flow is None else [checkpoint, flow]
    repository, settings, weights = read_published(config, *checkpoints)
    model = architecture_of(settings).network()
    load_published_weights(model, weights, str(checkpoint), repository)
    card = ModelCard(
        class_names=_class_names(settings.model.num_classes or 0, annotations),
        features=features_of(settings),
        training={"converted_from": [Path(one).name for one in (config, *checkpoints)]},
    )
    with sole_writer(directory):
        _check_replaceable(directory)
        replace_model(directory, model, settings, card)
    return Detector(model, settings, card)


def read_published(config: str | Path, *checkpoints: str | Path) -> tuple[Repository, Config, dict[str, Tensor]]:
    """The repository that a checkpoint is of, our settings for it, and its weights.

    Of several checkpoints each is one stream of a model.

    Raises:
        InputError: as `convert`.
    """
    if _is_published(config):
        repository, settings = read_configuration(config)
        _check_streams(repository, checkpoints)
        weights = repository.prepare(read_published_weights(checkpoints[0], [repository.weights]))
        return repository, with_classes_of(settings, weights, repository), weights
    found = [_recognised(checkpoint) for checkpoint in checkpoints]
    repository, published = found[0]
    _check_streams(repository, checkpoints)
    if repository.streams:
        for other, checkpoint in zip(found, checkpoints, strict=True):
            if other[0] is not repository:
                raise InputError(f"{checkpoint}: is of another repository than {checkpoints[0]}")
        weights = {
            f"streams.{stream}.{name}": tensor
            for stream, (_, own) in enumerate(found) for name, tensor in repository.prepare(own).items()
        }  # fmt: skip
    else:
        weights = repository.prepare(published)
    shape = published_shape(str(config)) if is_preset(str(config)) else {}
    settings = load_config(config, {"model": shape})
    if settings.model.detector != repository.detector:
        raise InputError(f"{checkpoints[0]}: is of {repository.detector}, {config} is of {settings.model.detector}")
    settings = _with_streams(load_config(settings, repository.changes), repository, len(checkpoints))
    _check_sizes(repository, published, settings, str(checkpoints[0]))
    return repository, with_classes_of(settings, weights, repository), weights


def _is_published(config: str | Path) -> bool:
    """Whether a configuration is a published file; else it is a TOML file of ours or the name of a preset."""
    path = Path(config)
    return not is_preset(str(config)) and path.suffix != ".toml" and (path.exists() or bool(path.suffix))


def _recognised(checkpoint: str | Path) -> tuple[Repository, dict[str, Tensor]]:
    """The repository that the weights of a checkpoint are of, and these weights as they are published."""
    keys = [AVERAGED, *sorted({one.weights for one in REPOSITORIES} - {AVERAGED})]
    beside = [key for one in REPOSITORIES for key in one.beside]
    weights = read_published_weights(checkpoint, keys, beside)
    found = repository_with(weights)
    if found is None:
        raise InputError(f"{checkpoint}: its names of weights are of no known repository without YAML files; give one")
    return found, weights


def _check_sizes(repository: Repository, published: dict[str, Tensor], settings: Config, checkpoint: str) -> None:
    for name, setting in repository.sizes.items():
        size, given = len(published[name]), settings.model.model_dump()[setting]
        if size != given:
            raise InputError(
                f"{checkpoint}: its {name} is of {size} moments, model.{setting} is {given}: give a TOML file of "
                f"settings with {size}, and with features of that length"
            )


def _check_streams(repository: Repository, checkpoints: Sequence[str | Path]) -> None:
    if len(checkpoints) > max(len(repository.streams), 1):
        raise InputError(f"{checkpoints[1]}: a model of {checkpoints[0]} has one network: leave the other out")


def _with_streams(settings: Config, repository: Repository, count: int) -> Config:
    """The settings for as many streams as there are checkpoints, each with as many channels as they say."""
    model = settings.model.model_dump()
    if not repository.streams or len(model["stream_weights"]) == count:
        return settings
    sources = listed(settings.model.input_dim)
    return settings.replace(
        model={"stream_weights": repository.streams[:count], "input_dim": (sources * count)[:count] or None}
    )


def _class_names(count: int, annotations: str | Path | None) -> tuple[str, ...]:
    if annotations is None:
        return tuple(f"class_{i}" for i in range(count))
    named = read_annotations(annotations)
    if count > 1 and named.unnumbered:
        unnumbered = f"{plural(len(named.unnumbered), 'class')} without a label_id, first {named.unnumbered[0]!r}"
        order = "their names follow the alphabet, and are wrong where the checkpoint's classes do not"
        warn(f"{annotations}: holds {unnumbered}: {order}; add the checkpoint's numbers as label_id", stacklevel=3)
    if count > 1 and len(named.class_names) < count:
        names = f"{len(named.class_names)} of the checkpoint's {plural(count, 'class')}"
        warn(f"{annotations}: names {names}; the others are called class_<id>", stacklevel=3)
    return with_classes(named, count).class_names


def _check_replaceable(directory: Path) -> None:
    """A converted model can be made again; anything else that lies there may be dear to somebody."""
    if not directory.exists() or (directory.is_dir() and all(path.name == LOCK for path in directory.iterdir())):
        return
    if not (directory / CARD).is_file():
        raise InputError(f"{directory}: is not a model directory and is left alone; choose another directory")
    if "converted_from" not in load_settings(directory)[1].training:
        raise InputError(f"{directory}: holds a trained model and is left alone; choose another directory")
    if others := {path.name for path in directory.iterdir()} - REPLACED:
        raise InputError(f"{directory}: holds {min(others)} and is left alone; choose another directory")
