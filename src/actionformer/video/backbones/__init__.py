"""The backbones, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from actionformer.config import nearest
from actionformer.errors import InputError
from actionformer.video.backbones.base import Backbone, Frame, Preprocessing

__all__ = ["BACKBONES", "Backbone", "Frame", "Preprocessing", "load_backbone"]

Weights = Sequence[str | Path]


def _motion(name: str, weights: Weights, device: str, precision: str) -> Backbone:
    from actionformer.video.backbones.motion import Motion

    return Motion()


BACKBONES: dict[str, Callable[[str, Weights, str, str], Backbone]] = {
    "motion": _motion,
}
"""Name -> what makes it of (name, files of weights, device, precision)."""


def load_backbone(
    name: str, weights: Weights | str | Path = (), *, device: str = "cpu", precision: str = "float32"
) -> Backbone:
    """A backbone with its weights, ready for clips.

    Args:
        name: one of `BACKBONES`; those of the transformers library are followed by a colon and a hub id or folder.
        weights: its files or the folder that holds them; by default they are looked for in `weights_folder()`.
        device: "cpu", "cuda", ...
        precision: of the arithmetic: "float32", "bfloat16" or "float16".

    Raises:
        InputError: no such backbone, weights that are missing (with where to get them) or of another network.
    """
    kind = name.partition(":")[0]
    if kind not in BACKBONES:
        raise InputError(f"no backbone {name!r}{nearest(kind, list(BACKBONES))}; there are {', '.join(BACKBONES)}")
    several = [weights] if isinstance(weights, str | Path) else weights
    return BACKBONES[kind](name, several, device, precision)
