"""One video's features on their way into the network: of any kind, read in slices, placed in time, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.core.words import plural
from actionformer.features import (
    TRANSPOSED,
    CentredFeatures,
    FeatureReader,
    Features,
    FeatureSpec,
    check_backbone,
    check_duration,
    check_timing,
    joined_spec,
    open_features,
    read_sidecar,
    resize,
    timing_of,
    unknown_of,
)
from actionformer.settings.config import Config

Array = NDArray[np.float32]
"""(T, D) features; an array of another number type is converted."""


@dataclass(frozen=True)
class FeatureSequence:
    """Features of one video, ready for the network, and their place in time."""

    features: FeatureReader
    grid: TimeGrid
    duration: float
    """Where the video ends, seconds."""
    class_scores: Any = None
    """(K,) scores of a video classifier, for fusion."""
    name: str = "features"
    """What messages call it."""
    given: FeatureReader | None = None
    """The features as they were before they were centred or resized, if they were."""
    proposals: NDArray[np.float32] | None = None
    """(N, 2) segments that a second stage judges, grid steps; None where there is none."""

    def __len__(self) -> int:
        return self.features.shape[0]

    @property
    def before_resizing(self) -> FeatureReader:
        """Rows that are those of the file, by which a message can name one."""
        return self.features if self.given is None or self.given.shape[0] == len(self) else self.given

    def called(self, name: str) -> FeatureSequence:
        """The same under a name that messages about it give, also those about values that are looked at later."""
        rows = self.features if self.given is None else self.given
        if not isinstance(rows, ArrayRows):
            return replace(self, name=name)
        rows = replace(rows, name=f"{name}: features")
        if self.given is None:
            return replace(self, features=rows, name=name)
        seen = CentredFeatures(rows) if isinstance(self.features, CentredFeatures) else self.features
        return replace(self, features=seen, given=rows, name=name)

    def part(self, start: int, stop: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor | None]:
        """Features (t, D) from `start` to `stop` with their mask (t,), None where nothing is padding."""
        rows = self.features[start : min(stop, len(self))]
        return with_padding(rows, stop - start - len(rows), device)


def with_padding(rows: Array, padding: int, device: torch.device | str) -> tuple[Tensor, Tensor | None]:
    """Features (t, D) with so many zeros behind them, and their mask (t + padding,), None where nothing is padding."""
    features = torch.from_numpy(rows).to(device)
    if padding == 0:
        return features, None
    return F.pad(features, (0, 0, 0, padding)), torch.arange(len(rows) + padding, device=device) < len(rows)


@dataclass(frozen=True)
class ArrayRows:
    """An array in memory, or mapped to it, with values of any float type."""

    array: NDArray[Any]
    name: str = "features"

    @property
    def shape(self) -> tuple[int, int]:
        """T and D."""
        return self.array.shape

    def __getitem__(self, part: slice) -> Array:
        with np.errstate(over="ignore"):
            rows = np.require(self.array[part], np.float32, ["C", "W"])  # copied only where torch could not share it
        if not np.isfinite(rows).all():
            row = (part.start or 0) + int((~np.isfinite(rows)).any(axis=1).argmax())
            raise InputError(f"{self.name} hold a value that is no finite number in float32, first in row {row}")
        return rows


def place(
    features: Any,
    timing: Mapping[str, Any],
    class_scores: Any,
    config: Config,
    made_for: FeatureSpec,
    *,
    other_timing: bool = False,
) -> FeatureSequence:
    """Features as `Detector.detect` takes them, on their grid: as the call says, else a sidecar, else the model.

    With `other_timing` that need not be the timing of the features that the model was trained on.

    Raises:
        InputError: no features of the model's width, or timing that is not known, cannot be, or is not the model's.
    """
    source, sidecar = "features", FeatureSpec()
    collected = isinstance(features, Features)  # of a collection, whose durations and timing have been compared
    if files := _files_of(features):
        source, sidecar = ", ".join(map(str, files)), joined_spec([read_sidecar(file) for file in files])
        check_backbone(sidecar, made_for)
        first = timing_of(call=given_spec(timing), sidecar=sidecar)
        features = open_features(*files, width=config.model.input_width, timing=first, made_for=made_for)
    rows = features if isinstance(features, Features) else ArrayRows(as_matrix(features))
    check_shape(rows.shape, config.model.input_width)
    said = timing_of(call=given_spec(timing), sidecar=sidecar)
    grid = known_grid(timing_of(call=said, model=made_for))
    if not (collected or other_timing or config.data.resize):
        check_timing(replace(FeatureSpec.on(grid), sources=sidecar.sources), made_for, source)
    length, duration = rows.shape[0], said.duration
    if duration is None:
        duration = grid.seconds_covered(length)
    elif not collected:
        check_duration(source, length, duration, grid)
    seen: FeatureReader = CentredFeatures(rows) if config.data.center_videos else rows
    if config.data.resize is not None:
        grid = grid.resized(length, config.data.resize)
        seen = ArrayRows(resize(seen[:], config.data.resize))
    given = None if seen is rows else rows
    return FeatureSequence(seen, grid, duration, class_scores, source, given=given)


def _files_of(features: Any) -> list[Path]:
    """The files that features lie in, where they do: those of several sources of a video one after the other."""
    several = features if isinstance(features, list | tuple) else [features]
    return [Path(one) for one in several] if all(isinstance(one, str | Path) for one in several) else []


def as_matrix(features: Any) -> NDArray[Any]:
    """An array of floats from an array, a tensor on any device, or lists.

    Raises:
        InputError: it holds something else.
    """
    if isinstance(features, Tensor):
        features = features.detach().cpu().float().numpy()
    if isinstance(features, np.ndarray) and features.dtype.kind == "f":
        return features
    try:
        with np.errstate(over="ignore"):
            return np.asarray(features, dtype=np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"features must be a (T, D) array of numbers ({error})") from error


def check_shape(shape: tuple[int, ...], width: int) -> None:
    """Raises an InputError if a shape is not (T, width) with T >= 1."""
    if len(shape) != 2 or shape[0] == 0:
        raise InputError(f"features must be (T, D) with T >= 1 and D = {width}, found shape {shape}")
    if shape[1] != width:
        hint = f": {TRANSPOSED}" if shape[0] == width else ""
        raise InputError(
            f"features of shape {shape} have {plural(shape[1], 'channel')}, the model expects {width}{hint}"
        )


def given_spec(timing: Mapping[str, Any]) -> FeatureSpec:
    """What a call says of the timing, checked."""
    return FeatureSpec(
        **{key: value.item() if isinstance(value, np.generic) else value for key, value in timing.items()}
    )


def known_grid(spec: FeatureSpec) -> TimeGrid:
    """The grid of features whose timing is known; a start that nobody knows is 0.

    Raises:
        InputError: one of its numbers is not known.
    """
    grid = spec.grid
    if grid is None:
        name = unknown_of(spec)[0]
        raise InputError(
            f"{name} of the features is not known: neither the call, a sidecar nor the model tells; give {name}"
        )
    return grid
