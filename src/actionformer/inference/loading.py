"""Detectors from model directories, and with fresh weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actionformer.core.run_files import PROPOSER
from actionformer.detectors.base import architecture_of
from actionformer.engines.engine import Engine, EngineName
from actionformer.features import FeatureSpec
from actionformer.hub import model_folder
from actionformer.inference.detector import Detector
from actionformer.model_directory import ModelCard, load_classifier, load_model
from actionformer.settings.config import Config
from actionformer.settings.loading import is_preset, load_config, published_shape


def load(
    directory: str | Path,
    *,
    device: str = "cpu",
    precision: str = "float32",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    other_timing: bool = False,
    engine: EngineName | None = None,
) -> Detector:
    """The detector of a model directory.

    Args:
        directory: what training or conversion wrote, or a model of huggingface.co: `hf://USER/MODEL`, with `@REVISION`
            for another than the newest.
        device: "cpu", "cuda", "cuda:1", ...
        precision: type of weights and arithmetic: "float32", "bfloat16" or "float16".
        settings: section -> setting -> value, of what is not to be as the directory has it; see `with_settings`.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
        engine: another program that computes the network, with the same results: "onnxruntime" or "openvino", on the
            CPU in float32, or "compile", torch's compiler. It is made at the first call, in seconds to minutes.
            Sequences in chunks (from 4,097 features on, see `Runner.chunk`), streams and the viewer have the network
            itself.

    Raises:
        InputError: no model directory, a broken file, a device that is not there, a setting that cannot be, or an
            engine that is not installed or cannot compute this network.
    """
    directory = model_folder(directory)
    model, config, card = load_model(directory)
    classifier = load_classifier(directory, config, card)
    detector = Detector(model, config, card, device=device, precision=precision, classifier=classifier)
    detector.directory, detector.other_timing = directory, other_timing
    if detector.second_stage and (own := directory / PROPOSER).is_dir():
        detector.proposer = load_proposer(own, device=device, precision=precision, other_timing=other_timing)
    if engine is not None:
        detector.runner.engine = Engine(engine, detector.model, detector.runner.architecture)
    return detector.with_settings(**settings) if settings else detector


def load_proposer(
    directory: str | Path, *, device: str = "cpu", precision: str = "float32", other_timing: bool = False
) -> Detector:
    """The detector of a model directory as one that finds segments of any class; arguments and errors as of `load`."""
    proposer = load(directory, device=device, precision=precision, other_timing=other_timing)
    proposer.classifier = None  # it would give the same segments several classes
    return proposer


def build(source: str | Path | Config, *, device: str = "cpu", precision: str = "float32") -> Detector:
    """A detector with fresh weights.

    Args:
        source: a preset's name, whose published input width and number of classes are taken; or a TOML file or
            settings in which both are set.
        device: "cpu", "cuda", "cuda:1", ...
        precision: type of weights and arithmetic: "float32", "bfloat16" or "float16".

    Raises:
        InputError: unknown settings, or a device that is not there.
    """
    preset = isinstance(source, str) and is_preset(source)
    config = load_config(source, {"model": published_shape(str(source))} if preset else None)
    model = architecture_of(config).network()
    card = ModelCard(tuple(f"class_{i}" for i in range(config.model.num_classes or 0)), features_of(config))
    return Detector(model, config, card, device=device, precision=precision)


def features_of(config: Config) -> FeatureSpec:
    """The features that the settings describe."""
    data = config.data
    return FeatureSpec(fps=data.fps, stride=data.stride, num_frames=data.num_frames, dim=config.model.input_width)
