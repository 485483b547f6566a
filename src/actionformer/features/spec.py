"""What a sidecar says of a feature file: how it lies in time, and what made it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.files import read_json, write_whole
from actionformer.core.names import file_of
from actionformer.core.segments import LARGEST, LEAST, TimeGrid


@dataclass(frozen=True)
class FeatureSpec:
    """What a sidecar says of a video's features; None where it does not say."""

    fps: float | None = None
    """Frames a second of the video that was read."""
    stride: float | None = None
    """Frames between neighbouring vectors."""
    num_frames: float | None = None
    """Frames that a vector covers."""
    backbone: str | None = None
    """What made the features."""
    weights_hash: str | None = None
    """Hash of the backbone's weights."""
    start: float | None = None
    """Seconds of the first frame on the clock of the video; not said, it is 0."""
    duration: float | None = None
    """Where the video ends on its clock, seconds."""
    dim: int | None = None
    """Channels of a vector."""
    preprocessing: str | None = None
    """What was done to the frames before the backbone saw them."""
    last_clip: str | None = None
    """What became of the frames after the last whole clip: "pad" repeats the last frame, "drop" leaves them out."""
    sources: tuple[FeatureSpec, ...] = ()
    """Of features that were joined by channel: each of them, in order."""

    def __post_init__(self) -> None:
        for name in ("fps", "stride", "num_frames", "duration", "dim"):
            value = getattr(self, name)
            if value is not None and not _is_positive(value):
                raise InputError(f"{name} must be a positive number, found {value!r:.60}")
            if value is not None and not LEAST <= value <= LARGEST:
                raise InputError(f"{name} must lie between {LEAST:g} and {LARGEST:g}, found {value!r:.60}")
        if self.start is not None and self.start != 0 and not (_is_positive(self.start) and self.start <= LARGEST):
            raise InputError(f"start must be a number of seconds from 0 to {LARGEST:g}, found {self.start!r:.60}")
        for name in ("backbone", "weights_hash", "preprocessing", "last_clip"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise InputError(f"{name} must be text, found {value!r:.60}")

    @property
    def parts(self) -> tuple[FeatureSpec, ...]:
        """Each of joined features, or these alone."""
        return self.sources or (self,)

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> FeatureSpec:
        """The spec that `to_dict` has written.

        Raises:
            InputError: a value that cannot be meant, or a name that is not known.
        """
        if unknown := content.keys() - {field.name for field in fields(cls)}:
            raise InputError(f"{min(unknown)!r:.60} is nothing that can be said of features")
        return cls(**{**content, "sources": tuple(map(cls.read, content.get("sources", ())))})

    def to_dict(self) -> dict[str, Any]:
        """Plain values of what is known."""
        known = {name: value for name, value in vars(self).items() if value is not None and name != "sources"}
        return known | ({"sources": [one.to_dict() for one in self.sources]} if self.sources else {})

    @classmethod
    def on(cls, grid: TimeGrid) -> FeatureSpec:
        """What a sidecar says of a grid."""
        return cls(fps=grid.fps, stride=grid.stride, num_frames=grid.num_frames, start=grid.start)

    @property
    def grid(self) -> TimeGrid | None:
        """Where the vectors lie in time, if fps, stride and num_frames are all known."""
        if self.fps is None or self.stride is None or self.num_frames is None:
            return None
        return TimeGrid(fps=self.fps, stride=self.stride, num_frames=self.num_frames, start=self.start or 0.0)


def joined_spec(sources: Sequence[FeatureSpec]) -> FeatureSpec:
    """What is to be said of sources that are joined by channel: their times are those of the first.

    Which backbones made them, each says for itself.
    """
    if len(sources) < 2:
        return sources[0] if sources else FeatureSpec()
    made = dict.fromkeys(("backbone", "weights_hash", "dim", "preprocessing", "last_clip"))
    return replace(sources[0], **made, sources=tuple(sources))


def check_backbone(found: FeatureSpec, expected: FeatureSpec) -> None:
    """Features are of use only to a model that was trained on features of the same backbone with the same weights.

    What either side does not know is not held against it. Where both know the hash of the weights, what follows a colon
    in a backbone's name, an id or a folder, does not matter. Of joined features each is compared.

    Raises:
        InputError: they differ; names both.
    """
    if len(found.sources) == len(expected.sources):
        for one, other in zip(found.sources, expected.sources, strict=True):
            check_backbone(one, other)
    if not (found.backbone and expected.backbone):
        return
    names = [found.backbone, expected.backbone]
    hashes = [found.weights_hash, expected.weights_hash]
    if None not in hashes:
        names = [name.partition(":")[0] for name in names]
    if names[0] != names[1]:
        raise InputError(f"features of backbone {found.backbone!r}, the model was trained on {expected.backbone!r}")
    if None not in hashes and hashes[0] != hashes[1]:
        raise InputError(
            f"features of {found.backbone!r} with weights of SHA-256 {hashes[0]}, "
            f"the model was trained on those of {hashes[1]}"
        )


def _is_positive(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value > 0


def feature_file(folder: str | Path, video: str) -> Path:
    """Where the features of a video are written; a video whose id has a `/` has them in a subfolder.

    Raises:
        InputError: no file can be called so, or its sidecar cannot.
    """
    return file_of(folder, video, ".json").with_suffix(".npy")


def sidecar_path(path: str | Path) -> Path:
    """`<name>.json` beside a feature file."""
    return Path(path).with_suffix(".json")


def read_sidecar(path: str | Path) -> FeatureSpec:
    """The sidecar of a feature file; empty if there is none, other keys in it are left alone.

    Raises:
        InputError: broken JSON, a link to nowhere or a folder of that name, or a value that cannot be meant.
    """
    sidecar = sidecar_path(path)
    if not os.path.lexists(sidecar):
        return FeatureSpec()
    content = read_json(sidecar)
    if not isinstance(content, dict):
        raise InputError(f"{sidecar}: expected an object with fps, stride, num_frames, found {content!r:.60}")
    names = {field.name for field in fields(FeatureSpec)} - {"sources"}
    try:
        return FeatureSpec(**{name: value for name, value in content.items() if name in names})
    except InputError as error:
        raise InputError(f"{sidecar}: {error}") from error


def write_sidecar(path: str | Path, spec: FeatureSpec, course: Mapping[str, Any] | None = None) -> None:
    """Write the sidecar of a feature file, whole or not at all; what is None is left out.

    Args:
        path: the feature file.
        spec: what its readers need to know.
        course: how it was made, for people: version, frames, skipped packets.
    """
    content = spec.to_dict() | {name: value for name, value in (course or {}).items() if value is not None}
    write_whole(sidecar_path(path), json.dumps(content, indent=1) + "\n")
