"""The backbone and the clips that a model's features were made with, for videos that it has not seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from actionformer.backbones import OF_SENSORS, Backbone, load_backbone
from actionformer.core.errors import InputError
from actionformer.core.words import plural
from actionformer.extraction.encode import layout_for
from actionformer.features import UNKNOWN, FeatureSpec, check_backbone, check_timing, timing_of
from actionformer.video.clips import ClipLayout


@dataclass(frozen=True)
class FeatureMaker:
    """How a model's features, or one source of them, are made of a file that it has not seen."""

    backbone: Backbone
    layout: ClipLayout


class FeatureMakers:
    """How each source of a model's features is made; each backbone is loaded once.

    Args:
        features: of the model.
        width: channels that its network takes.
        device, precision: where and how backbones compute.
    """

    def __init__(self, features: FeatureSpec, width: int, *, device: str, precision: str) -> None:
        self.sources, self.width = features.parts, width
        self.device, self.precision = device, precision
        self._backbones: dict[tuple[str | None, tuple[str, ...]], Backbone] = {}

    def maker(
        self,
        source: int,
        name: str | None,
        weights: str | Path | Iterable[str | Path],
        timing: FeatureSpec,
        *,
        other_timing: bool,
    ) -> FeatureMaker:
        """Of one source; arguments and errors as of `Detector.maker`."""
        made_for, several = self.sources[source], len(self.sources) > 1
        if name is not None and several:
            raise InputError(
                f"the model joins {len(self.sources)} sources and knows their backbones: leave {name!r} out"
            )
        files = tuple(map(str, [weights] if isinstance(weights, str | Path) else weights))
        backbone = self._backbone(made_for, name, () if several and not made_for.weights_hash else files)
        layout = layout_of(made_for, backbone, UNKNOWN if source else timing, other_timing=other_timing)
        return FeatureMaker(backbone, layout)

    def _backbone(self, made_for: FeatureSpec, name: str | None, weights: tuple[str, ...]) -> Backbone:
        known = name or made_for.backbone, weights
        if known not in self._backbones:
            found = backbone_of(made_for, name, weights, device=self.device, precision=self.precision)
            width = self.width if made_for.dim is None else made_for.dim
            if found.dim not in (0, width):  # 0: what it looks at tells
                raise InputError(f"{found.name!r} gives {plural(found.dim, 'channel')}, the model takes {width}")
            self._backbones[known] = found
        return self._backbones[known]


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
