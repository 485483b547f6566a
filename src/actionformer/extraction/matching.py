"""The backbone and the clips that a model's features were made with, for videos that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actionformer.backbones import OF_SENSORS, Backbone, load_backbone
from actionformer.core.errors import InputError
from actionformer.extraction.encode import layout_for
from actionformer.features import FeatureSpec, check_backbone, check_timing, timing_of
from actionformer.video.clips import ClipLayout


@dataclass(frozen=True)
class FeatureMaker:
    """How a model's features, or one source of them, are made of a file that it has not seen."""

    backbone: Backbone
    layout: ClipLayout


def backbone_of(
    made_for: FeatureSpec,
    name: str | None = None,
    weights: str | Path | Sequence[str | Path] = (),
    *,
    device: str = "cpu",
    precision: str = "float32",
) -> Backbone:
    """The backbone that made the features a model was trained on.

    Raises:
        InputError: the model does not say and none is given, another one is given, or its weights are others.
    """
    if name is None or (name in OF_SENSORS and (made_for.backbone or "").startswith(f"{name}:")):
        name = made_for.backbone  # with the columns of the model
    if name is None:
        raise InputError("the model does not say which backbone made its features: give --backbone")
    kinds = [FeatureSpec(backbone=text.partition(":")[0]) for text in (name, made_for.backbone or name)]
    check_backbone(*kinds)  # before its weights are looked for
    backbone = load_backbone(name, weights, device=device, precision=precision)
    backbone = backbone.fitted((), int(made_for.num_frames or backbone.num_frames))
    check_backbone(FeatureSpec(backbone=backbone.name, weights_hash=backbone.weights_hash), made_for)
    return backbone


def layout_of(
    made_for: FeatureSpec, backbone: Backbone, timing: FeatureSpec, *, other_timing: bool = False
) -> ClipLayout:
    """Clips as the call says, else as the model's features lie, else as the backbone has them.

    Raises:
        InputError: clips that cannot be, or (without `other_timing`) that lie otherwise than the model's features.
    """
    wanted = timing_of(call=timing, model=made_for)
    layout = layout_for(
        backbone,
        fps=wanted.fps,
        stride=wanted.stride,
        num_frames=wanted.num_frames,
        last_clip="drop" if made_for.last_clip == "drop" else "pad",
    )
    if not other_timing:
        clips = FeatureSpec(fps=layout.fps, stride=layout.stride, num_frames=layout.num_frames)
        check_timing(clips, made_for, "clips of videos")
    return layout
