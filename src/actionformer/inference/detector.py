"""The user's object: a model with its settings, from features to detections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actionformer.config import Config, ModelSettings, check_precision, load_config, preset_names, published_shape
from actionformer.detections import Detections
from actionformer.errors import InputError
from actionformer.features import (
    Features,
    FeatureSpec,
    check_backbone,
    check_duration,
    open_features,
    read_sidecar,
    resize,
)
from actionformer.inference.decode import decode, fuse
from actionformer.inference.suppression import Kept, suppress
from actionformer.model import ActionFormer, Outputs, build_model
from actionformer.model_directory import ModelCard, load_model
from actionformer.segments import TimeGrid, clip

Array = NDArray[np.float32]
BATCH_MOMENTS = 65536  # moments computed together on a GPU


@dataclass(frozen=True)
class Sequence:
    """Features of one video, ready for the network, and their place in time."""

    features: Array
    """(T, D)"""
    grid: TimeGrid
    duration: float
    """Seconds."""
    class_scores: Any = None
    """(K,) scores of a video classifier, for fusion."""


class Detector:
    """Finds actions in features.

    Attributes:
        model: the network in test mode: features (B, T, D) float32 or the detector's type, and their mask (B, T) ->
            `Outputs`.
        config: all settings.
        card: class names, the features the model expects, its training.
    """

    def __init__(
        self,
        model: ActionFormer,
        config: Config,
        card: ModelCard,
        *,
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        check_precision(precision)
        self.device = find_device(device)
        self.model = model.to(self.device, getattr(torch, precision)).eval()
        self.model.normalizer.float()
        self.config = config
        self.card = card

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; labels are indices into them."""
        return self.card.class_names

    def detect(
        self,
        features: Array | Tensor | str | Path,
        *,
        fps: float | None = None,
        stride: float | None = None,
        num_frames: float | None = None,
        duration: float | None = None,
        class_scores: Any = None,
        class_names: Iterable[str] | None = None,
    ) -> Detections:
        """The actions of one video.

        Args:
            features: (T, D) array, any T >= 1, or the path of a feature file.
            fps, stride, num_frames: how the features lie in time; by default what the file's sidecar says, then
                what the model was trained on.
            duration: of the video, seconds; by default the sidecar's, then what the features cover.
            class_scores: (K,) video-level scores that a class-agnostic model's proposals are fused with;
                `class_names` then names these K classes.

        Raises:
            InputError: features of another width, shape or with values that are not finite; timing not known.
        """
        timing = {"fps": fps, "stride": stride, "num_frames": num_frames, "duration": duration}
        names = tuple(class_names) if class_names is not None else None
        return self._detect_batch([self._sequence(features, timing, class_scores)], names)[0]

    def detect_many(
        self,
        items: Mapping[str, Any] | Iterable[tuple[str, Any]],
        *,
        batch_size: int | None = None,
        class_names: Iterable[str] | None = None,
    ) -> dict[str, Detections]:
        """The actions of many videos, computed in batches.

        Args:
            items: video -> features, as in `detect`: an array, a path, or a mapping of `detect`'s arguments such as
                {"features": array, "fps": 25.0}. Pairs (video, features) are read one batch after another.
            batch_size: sequences computed together; by default 1 on a CPU, as many as fit a fixed size on a GPU.
                Results do not depend on it.
            class_names: as in `detect`, for items that have class_scores.

        Returns:
            Video -> detections, in the given order.

        Raises:
            InputError: as in `detect`; the video is named.
        """
        if batch_size is not None and batch_size < 1:
            raise InputError(f"batch_size must be at least 1, found {batch_size}")
        names = tuple(class_names) if class_names is not None else None
        pairs = items.items() if isinstance(items, Mapping) else items
        results: dict[str, Detections] = {}
        for batch in self._batches(pairs, batch_size):
            found = self._detect_batch([sequence for _, sequence in batch], names)
            results.update(zip((video for video, _ in batch), found, strict=True))
        return results

    def _batches(
        self, pairs: Iterable[tuple[str, Any]], batch_size: int | None
    ) -> Iterator[list[tuple[str, Sequence]]]:
        on_cpu = self.device.type == "cpu"
        limit = batch_size or (1 if on_cpu else 64)
        batch: list[tuple[str, Sequence]] = []
        longest = 0
        for video, item in pairs:
            arguments = dict(item) if isinstance(item, Mapping) else {"features": item}
            sequence = self._named_sequence(video, arguments)
            longest = max(longest, self._padded_length(len(sequence.features)))
            too_large = not on_cpu and batch_size is None and longest * (len(batch) + 1) > BATCH_MOMENTS
            if batch and (len(batch) == limit or too_large):
                yield batch
                batch, longest = [], self._padded_length(len(sequence.features))
            batch.append((video, sequence))
        if batch:
            yield batch

    def _named_sequence(self, video: str, arguments: dict[str, Any]) -> Sequence:
        unknown = arguments.keys() - {"features", "class_scores", *_TIMING}
        if unknown or "features" not in arguments:
            raise InputError(f"video {video!r}: expected features and {', '.join(_TIMING)}, found {sorted(arguments)}")
        try:
            timing = {name: arguments.get(name) for name in _TIMING}
            return self._sequence(arguments["features"], timing, arguments.get("class_scores"))
        except InputError as error:
            raise InputError(f"video {video!r}: {error}") from error

    def _sequence(self, features: Any, timing: Mapping[str, Any], class_scores: Any) -> Sequence:
        name, sidecar = "features", FeatureSpec()
        collected = isinstance(features, Features)  # of a collection, whose durations have been compared
        if isinstance(features, str | Path):
            name, sidecar = str(features), read_sidecar(features)
            check_backbone(sidecar, self.card.features)
            features = open_features(features, width=self.config.model.input_width)
        array = self._array(features)
        given = FeatureSpec(
            **{key: value.item() if isinstance(value, np.generic) else value for key, value in timing.items()}
        )
        known = [given, sidecar, self.card.features]
        grid = TimeGrid(**{key: _first_known(known, key) for key in ("fps", "stride", "num_frames")})
        duration = given.duration or sidecar.duration
        if duration is None:
            duration = grid.seconds_covered(len(array))
        elif not collected:
            check_duration(name, len(array), duration, grid)
        if self.config.data.resize is not None:
            grid = grid.resized(len(array), self.config.data.resize)
            array = resize(array, self.config.data.resize)
        return Sequence(array, grid, duration, class_scores)

    def _array(self, features: Any) -> Array:
        if isinstance(features, Features):
            features = features[:]
        if isinstance(features, Tensor):
            features = features.detach().cpu().float().numpy()
        try:
            with np.errstate(over="ignore"):
                array = np.asarray(features, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise InputError(f"features must be a (T, D) array of numbers ({error})") from error
        width = self.config.model.input_width
        if array.ndim != 2 or len(array) == 0:
            raise InputError(f"features must be (T, D) with T >= 1 and D = {width}, found shape {array.shape}")
        if array.shape[1] != width:
            raise InputError(f"features have {array.shape[1]} channels, the model expects {width}")
        if not np.isfinite(array).all():
            row = int((~np.isfinite(array)).any(axis=1).argmax())
            raise InputError(f"features hold a value that is no finite number, first in row {row}")
        return array

    def _padded_length(self, length: int) -> int:
        if self.config.model.padding == "clean":
            return length
        return published_length(length, self.config.model)

    def _detect_batch(self, sequences: list[Sequence], names: tuple[str, ...] | None) -> list[Detections]:
        lengths = [self._padded_length(len(sequence.features)) for sequence in sequences]
        if self.config.model.padding == "published" and len(set(lengths)) > 1:
            # How far a sequence is padded is part of its result: those padded alike are computed together.
            results: dict[int, Detections] = {}
            for length in sorted(set(lengths)):
                rows = [row for row, padded in enumerate(lengths) if padded == length]
                found = self._detect_batch([sequences[row] for row in rows], names)
                results.update(zip(rows, found, strict=True))
            return [results[row] for row in range(len(sequences))]
        outputs = self._forward([sequence.features for sequence in sequences], max(lengths))
        return [self._detections(outputs, row, sequence, names) for row, sequence in enumerate(sequences)]

    @torch.inference_mode()
    def _forward(self, arrays: list[Array], padded: int) -> Outputs:
        if len(arrays) == 1 and len(arrays[0]) == padded:
            features = np.require(arrays[0], requirements=["C", "W"])[None]  # long videos are not copied
            valid = np.ones((1, padded), dtype=bool)
        else:
            features = np.zeros((len(arrays), padded, arrays[0].shape[1]), dtype=np.float32)
            valid = np.zeros((len(arrays), padded), dtype=bool)
            for row, array in enumerate(arrays):
                features[row, : len(array)] = array
                valid[row, : len(array)] = True
        outputs: Outputs = self.model(
            torch.from_numpy(features).to(self.device), torch.from_numpy(valid).to(self.device)
        )
        return outputs

    def _detections(self, outputs: Outputs, row: int, sequence: Sequence, names: tuple[str, ...] | None) -> Detections:
        candidates = decode(
            [level[row] for level in outputs.logits],
            [level[row] for level in outputs.offsets],
            [level[row] for level in outputs.valid],
            self.config.model.strides,
            self.config.decoding,
        )
        kept = suppress(candidates.segments, candidates.scores, candidates.labels, self.config.suppression)
        origin = candidates.levels.cpu().numpy()[kept.index]
        if sequence.class_scores is not None:
            kept, origin = self._fused(kept, origin, sequence, names)
        elif names is not None:
            raise InputError("class_names are those of class_scores, which are not given")
        seconds = clip(sequence.grid.to_seconds(kept.segments.astype(np.float64)), sequence.duration)
        return Detections(seconds, kept.scores.astype(np.float64), kept.labels, names or self.class_names, origin)

    def _fused(
        self, kept: Kept, origin: NDArray[np.int64], sequence: Sequence, names: tuple[str, ...] | None
    ) -> tuple[Kept, NDArray[np.int64]]:
        if len(self.class_names) > 1:
            raise InputError(
                f"class scores are fused with proposals of one class, this model has {len(self.class_names)}"
            )
        fused = fuse(kept.segments, kept.scores, sequence.class_scores)
        if names is None or len(names) != len(sequence.class_scores):
            raise InputError(f"class_names must name the {len(sequence.class_scores)} classes of class_scores")
        return fused, origin[fused.index]


_TIMING = ("fps", "stride", "num_frames", "duration")


def load(directory: str | Path, *, device: str = "cpu", precision: str = "float32") -> Detector:
    """The detector of a model directory.

    Args:
        directory: what training or conversion wrote.
        device: "cpu", "cuda", "cuda:1", ...
        precision: type of weights and arithmetic: "float32", "bfloat16" or "float16".

    Raises:
        InputError: no model directory, a broken file, or a device that is not there.
    """
    model, config, card = load_model(directory)
    return Detector(model, config, card, device=device, precision=precision)


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
    preset = isinstance(source, str) and source in preset_names()
    config = load_config(source, {"model": published_shape(str(source))} if preset else None)
    model = build_model(config.model)
    card = ModelCard(tuple(f"class_{i}" for i in range(config.model.num_classes or 0)), features_of(config))
    return Detector(model, config, card, device=device, precision=precision)


def features_of(config: Config) -> FeatureSpec:
    """The features that the settings describe."""
    data = config.data
    return FeatureSpec(fps=data.fps, stride=data.stride, num_frames=data.num_frames, dim=config.model.input_width)


def published_length(length: int, settings: ModelSettings) -> int:
    """The length that published inference pads a sequence of `length` features to.

    `max_length` if that is enough, else the next multiple of the largest stride_l * 2 * (W_l // 2), where a
    global window counts as the stride alone.
    """
    if length <= settings.max_length:
        return settings.max_length
    steps = zip(settings.strides, settings.level_windows, strict=True)
    divisor = max(stride * 2 * (window // 2) if window > 1 else stride for stride, window in steps)
    return -(-length // divisor) * divisor


def _first_known(specs: list[FeatureSpec], name: str) -> float:
    for spec in specs:
        value: float | None = getattr(spec, name)
        if value is not None:
            return value
    raise InputError(
        f"{name} of the features is not known: neither the call, a sidecar nor the model tells; give {name}"
    )


def find_device(name: str) -> torch.device:
    """The device of a name.

    Raises:
        InputError: it is not there.
    """
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} cannot be used: {str(error).splitlines()[0]}") from error
    return device
