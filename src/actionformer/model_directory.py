"""The model directory: `config.toml`, `model.safetensors`, `model.json`. Self-contained, no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import save

from actionformer.config import Config, load_config
from actionformer.errors import InputError
from actionformer.features import FeatureSpec
from actionformer.files import read_json, write_whole
from actionformer.model import ActionFormer, build_model
from actionformer.names import check_name
from actionformer.weights import load_weights, read_weights

CONFIG, WEIGHTS, CARD = "config.toml", "model.safetensors", "model.json"


@dataclass(frozen=True)
class ModelCard:
    """What a model is for and where it comes from: the content of `model.json`."""

    class_names: tuple[str, ...]
    features: FeatureSpec = field(default_factory=FeatureSpec)
    """The features it was trained on."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """The data and the course of training, or the checkpoint it was converted from."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures of the evaluation subset."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values; of the features only what is known."""
        content = asdict(self)
        content["features"] = {name: value for name, value in asdict(self.features).items() if value is not None}
        return content


def save_model(directory: str | Path, model: ActionFormer, config: Config, card: ModelCard) -> None:
    """Writes a model directory, each file whole or not at all.

    Raises:
        InputError: the files cannot be written.
    """
    directory = Path(directory)
    write_whole(directory / CONFIG, config.to_toml())
    write_whole(directory / WEIGHTS, save({name: tensor.contiguous() for name, tensor in model.state_dict().items()}))
    write_whole(directory / CARD, json.dumps(card.to_dict(), indent=1) + "\n")


def load_model(directory: str | Path) -> tuple[ActionFormer, Config, ModelCard]:
    """Reads a model directory; the model is on the CPU, in test mode.

    Raises:
        InputError: no model directory, a broken file, or weights of another shape than the settings call for.
    """
    directory = Path(directory)
    config, card = load_settings(directory)
    model = build_model(config.model)
    load_weights(model, read_weights(directory / WEIGHTS), str(directory / WEIGHTS))
    return model.eval(), config, card


def load_settings(directory: str | Path) -> tuple[Config, ModelCard]:
    """The settings and the card of a model directory, without its weights."""
    directory = Path(directory)
    for name in (CONFIG, WEIGHTS, CARD):
        if not (directory / name).is_file():
            raise InputError(f"{directory}: no model directory, {name} is not there")
    card = _read_card(directory / CARD)
    config = load_config(directory / CONFIG)
    if config.model.num_classes != len(card.class_names):
        raise InputError(
            f"{directory}: {CARD} names {len(card.class_names)} classes, "
            f"model.num_classes is {config.model.num_classes}"
        )
    return config, card


def _read_card(path: Path) -> ModelCard:
    content = read_json(path)
    try:
        names = tuple(map(str, content["class_names"]))
        for name in names:
            check_name(name, f"{path}: a class name")
        return ModelCard(
            class_names=names,
            features=FeatureSpec(**content.get("features", {})),
            training=content.get("training", {}),
            metrics=content.get("metrics", {}),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a model's description ({error!r})") from error
