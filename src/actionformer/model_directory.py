"""The model directory: `config.toml`, `model.safetensors`, `model.json`. Self-contained, no pickle.

A model that finds proposals may have a classifier of whole videos beside it: `classifier.safetensors`. One that judges
proposals may have what finds them: `proposer/`, a model directory.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from safetensors.torch import save
from torch import nn

from actionformer.core.calibration import Calibration
from actionformer.core.errors import InputError, listed
from actionformer.core.files import naming, read_json, replacing, write_whole
from actionformer.core.locks import part_name
from actionformer.core.names import check_name
from actionformer.core.run_files import CARD, CLASSIFIER, CONFIG, PROPOSER, WEIGHTS
from actionformer.core.words import plural
from actionformer.detectors.base import architecture_of
from actionformer.features import FeatureSpec
from actionformer.hub import is_address
from actionformer.nn.network import Network
from actionformer.nn.video_classifier import VideoClassifier
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.weights import load_weights, read_weights


@dataclass(frozen=True)
class ModelCard:
    """What a model is for and where it comes from: the content of `model.json`."""

    class_names: tuple[str, ...]
    """Of the network."""
    features: FeatureSpec = field(default_factory=FeatureSpec)
    """The features it was trained on."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """The data and the course of training, or the checkpoint it was converted from."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures of the evaluation subset: `map` (the mean over thresholds) and `map@<tIoU>`, shares from 0 to 1."""
    calibration: Calibration | None = None
    """What its scores are worth, where that was measured."""
    video_classes: tuple[str, ...] = ()
    """Of the classifier of whole videos, where a network that finds proposals of one class has one."""

    def __post_init__(self) -> None:
        for names in (self.class_names, self.video_classes):
            if len(set(names)) != len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise InputError(f"two classes are called {twice!r:.60}: names of classes must differ")
        if self.video_classes and len(self.class_names) > 1:
            raise InputError(f"video_classes are for a network of one class, this one has {len(self.class_names)}")

    @property
    def found_classes(self) -> tuple[str, ...]:
        """The classes that detections have: those of the network, or of the classifier that names its proposals."""
        return self.video_classes or self.class_names

    @property
    def held_out(self) -> tuple[str, ...]:
        """The training videos that were held out for evaluation, where a split chose them."""
        return tuple(self.training.get("held_out", ()))

    def to_dict(self) -> dict[str, Any]:
        """Plain values; of the features only what is known."""
        content = asdict(self) | {"features": self.features.to_dict()}
        if self.calibration is None:
            del content["calibration"]
        if not self.video_classes:
            del content["video_classes"]
        return content


def save_model(
    directory: str | Path,
    model: Network,
    config: Config,
    card: ModelCard,
    classifier: VideoClassifier | None = None,
) -> None:
    """Writes a model directory, each file whole or not at all, the one that tells of the others last.

    That one is begun first: what a kill leaves has a part of it, and so is known as a model that was begun.

    Raises:
        InputError: the files cannot be written.
    """
    with replacing(Path(directory) / CARD) as temporary:
        if classifier is not None:
            write_whole(Path(directory) / CLASSIFIER, _weights_file(classifier))
        files = _files(model, config, card)
        temporary.write_bytes(files.pop(CARD))
        for name, content in files.items():
            write_whole(Path(directory) / name, content)


def keep_proposer(directory: str | Path, proposer: Path) -> None:
    """Copies a model that proposes, without its classifier, into the directory of one that judges, unless it is there.

    The card goes last: where it is, all of the copy is.

    Raises:
        InputError: a file cannot be read or written.
    """
    target = Path(directory) / PROPOSER
    if (target / CARD).exists():
        return
    if (proposer / PROPOSER).is_dir():  # it judges proposals itself
        keep_proposer(target, proposer / PROPOSER)
    _, card = load_settings(proposer)
    try:
        files = {name: (proposer / name).read_bytes() for name in (CONFIG, WEIGHTS)}
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from error
    for name, content in {**files, CARD: _card_file(replace(card, video_classes=()))}.items():
        write_whole(target / name, content)


def save_classifier(directory: str | Path, classifier: VideoClassifier, config: Config, card: ModelCard) -> None:
    """Gives a model directory a classifier of whole videos; figures and calibration were of proposals, and go.

    Args:
        directory: of a model of one class.
        classifier: of `card.video_classes`.
        config: all settings of the model.
        card: its description.

    Raises:
        InputError: the files cannot be written.
    """
    write_whole(Path(directory) / CLASSIFIER, _weights_file(classifier))
    write_whole(Path(directory) / CONFIG, config.replace(training={"classifier": True}).to_toml().encode())
    replace_card(directory, replace(card, metrics={}, calibration=None))


def replace_model(directory: str | Path, model: Network, config: Config, card: ModelCard) -> None:
    """Puts a model directory into the place of another one, whole: there is never a mix of both.

    Its caller is its sole writer: what is left beside it is of writers that were killed.

    Raises:
        InputError: it cannot be written.
    """
    target = Path(os.path.realpath(directory))
    new, old = (target.with_name(part_name(target.name, name)) for name in ("new", "old"))
    with naming(directory):
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        try:
            new.mkdir()
            for name, content in _files(model, config, card).items():
                with (new / name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            target.rename(old)
            new.rename(target)
        finally:
            if old.exists() and not target.exists():
                old.rename(target)
            for left in (new, old):
                shutil.rmtree(left, ignore_errors=True)


def replace_card(directory: str | Path, card: ModelCard) -> None:
    """Writes the description of a model anew.

    Raises:
        InputError: it cannot be written.
    """
    write_whole(Path(directory) / CARD, _card_file(card))


def _files(model: Network, config: Config, card: ModelCard) -> dict[str, bytes]:
    return {
        CONFIG: config.to_toml().encode(),
        WEIGHTS: _weights_file(model),
        CARD: _card_file(card),
    }


def _weights_file(model: nn.Module) -> bytes:
    return save({name: tensor.contiguous() for name, tensor in model.state_dict().items()})


def _card_file(card: ModelCard) -> bytes:
    return (json.dumps(card.to_dict(), indent=1) + "\n").encode()


def load_model(directory: str | Path) -> tuple[Network, Config, ModelCard]:
    """Reads a model directory; the model is on the CPU, in eval mode.

    Raises:
        InputError: no model directory, a broken file, or weights of another shape than the settings call for.
    """
    directory = Path(directory)
    config, card = load_settings(directory)
    model = architecture_of(config).network()
    _read_into(model, directory / WEIGHTS)
    return model.eval(), config, card


def _read_into(model: Network | VideoClassifier, file: Path) -> None:
    load_weights(model, read_weights(file), str(file))
    if not (model.normalizer.deviation > 0).all():
        raise InputError(f"{file}: normalizer.deviation has a value that is not positive: train it again")


def load_classifier(directory: str | Path, config: Config, card: ModelCard) -> VideoClassifier | None:
    """The classifier of whole videos of a model directory, on the CPU, where its card names classes of videos.

    Raises:
        InputError: there is none, or weights of another shape than card and settings call for.
    """
    if not card.video_classes:
        return None
    file = Path(directory) / CLASSIFIER
    if not file.is_file():
        raise InputError(
            f"{file}: is not there, but {CARD} names {plural(len(card.video_classes), 'class')} of videos: "
            f"copy the whole directory, or run `actionformer classify {directory}`"
        )
    classifier = VideoClassifier(width=config.model.input_width, classes=len(card.video_classes))
    _read_into(classifier, file)
    return classifier.eval()


def load_settings(directory: str | Path) -> tuple[Config, ModelCard]:
    """The settings and the card of a model directory, without its weights."""
    if is_address(directory):
        raise InputError(
            f"{directory}: this takes a folder: `hf download USER/MODEL --local-dir FOLDER` makes one of it"
        )
    directory = Path(directory)
    for name in (CONFIG, WEIGHTS, CARD):
        if not (directory / name).is_file():
            below = sorted(str(card.parent) for card in directory.glob(f"*/{CARD}"))
            advice = f"; there is one in {listed(below, 3)}" if below else ""
            raise InputError(f"{directory}: no model directory, {name} is not there{advice}")
    card = _read_card(directory / CARD)
    config = load_config(directory / CONFIG)
    if config.model.num_classes != len(card.class_names):
        raise InputError(
            f"{directory}: {CARD} names {plural(len(card.class_names), 'class')}, "
            f"model.num_classes is {config.model.num_classes}"
        )
    return config, card


def _read_card(path: Path) -> ModelCard:
    content = read_json(path)
    try:
        card = _Card.model_validate(content)
        for name in (*card.class_names, *card.video_classes):
            check_name(name, "a class name")
        return ModelCard(
            class_names=tuple(card.class_names),
            features=FeatureSpec.read(card.features),
            training=card.training.model_dump(exclude_unset=True),
            metrics=card.metrics,
            calibration=None if card.calibration is None else _CALIBRATION.validate_python(card.calibration),
            video_classes=tuple(card.video_classes),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        found = "" if first["type"] == "missing" else f", found {first['input']!r:.60}"
        raise InputError(f"{path}: not a model's description: {where}: {first['msg']}{found}") from error
    except (InputError, TypeError) as error:
        raise InputError(f"{path}: not a model's description: {error}") from error


Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]


class _Training(BaseModel):
    """What is read of how a model came about; other entries are kept as they are."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)
    annotations: str | None = None
    features: str | list[str] | None = None
    proposals: str | None = None
    annotations_hash: str | None = None
    features_hash: str | None = None
    proposals_hash: str | None = None
    init_hash: str | None = None
    subset: list[str] = []
    held_out: list[str] = []
    videos: Count | None = None
    actions: Count | None = None
    epochs: Count | None = None
    converted_from: list[str] = []


class _Card(BaseModel):
    """The content of `model.json`, checked."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)
    class_names: list[Name] = Field(min_length=1, max_length=100_000)
    features: dict[str, Any] = {}
    training: _Training = _Training()
    metrics: dict[str, float] = {}
    calibration: dict[str, Any] | None = None
    video_classes: list[Name] = Field([], max_length=100_000)


_CALIBRATION = TypeAdapter(Calibration)
