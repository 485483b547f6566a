"""The backbones, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actionformer.backbones.base import Backbone, Frame, Preprocessing
from actionformer.core.devices import check_precision
from actionformer.core.errors import InputError
from actionformer.core.names import nearest
from actionformer.keypoints.medium import KEY_POINTS
from actionformer.medium import Medium
from actionformer.sensors.columns import Columns
from actionformer.sensors.medium import SENSORS
from actionformer.sound.medium import SOUND
from actionformer.video.pictures import PICTURES

__all__ = ["BACKBONES", "Backbone", "Frame", "Preprocessing", "load_backbone", "medium_at", "medium_of", "with_columns"]

TRANSFORMERS = ("videomae", "timesformer", "vivit", "vjepa2", "huggingface")
"""Kinds that take a hub id or a folder after a colon."""
OF_SENSORS = ("windows", "statistics")
"""Kinds that look at readings of sensors and take names of columns after a colon."""
OF_SOUND = ("logmel", "yamnet")
"""Kinds that listen."""
OF_KEY_POINTS = ("keypoints",)
"""Kinds that look at files of key points and take a skeleton after a colon."""
WITHOUT_WEIGHTS = ("motion", "logmel", *OF_SENSORS, *OF_KEY_POINTS)
BACKBONES = (
    "motion",
    "squeezenet",
    "efficientnet_lite0",
    "i3d",
    "i3d_dis",
    "i3d_rgb",
    "r2plus1d_tsp",
    "slowfast_r50",
    "pose",
    *OF_SOUND,
    *OF_SENSORS,
    *OF_KEY_POINTS,
    *TRANSFORMERS,
)
MEDIA: tuple[Medium, ...] = (PICTURES, SOUND, SENSORS, KEY_POINTS)
"""All that backbones look at."""


def medium_of(name: str | None) -> Medium:
    """What the backbone of a name looks at; of one that is not known, pictures."""
    kinds = {OF_SENSORS: SENSORS, OF_SOUND: SOUND, OF_KEY_POINTS: KEY_POINTS}
    kind = (name or "").partition(":")[0]
    return next((medium for of_medium, medium in kinds.items() if kind in of_medium), PICTURES)


def medium_at(path: Path) -> Medium:
    """What a file holds, by its ending; where no medium has it, pictures."""
    return next((medium for medium in MEDIA if path.suffix.lower() in medium.endings), PICTURES)


def with_columns(name: str, channels: Sequence[str], time: str | None = None) -> str:
    """The name of a backbone that looks at some columns of tables, such as `windows:acc_x,acc_y@stamp`.

    Args:
        name: of a backbone of sensors.
        channels: the columns of readings, also several in one text with commas between them; none where all are meant.
        time: the column of times, None where it is found by its name.

    Raises:
        InputError: it looks at something else, or its name has columns already.
    """
    if not channels and time is None:
        return name
    if name not in OF_SENSORS:
        raise InputError(f"columns are those of tables, for {' and '.join(OF_SENSORS)}; found backbone {name!r}")
    names = tuple(name for text in channels for name in Columns.parsed(text).channels)
    return f"{name}:{Columns(names, time)}"


def load_backbone(
    name: str,
    weights: str | Path | Sequence[str | Path] = (),
    *,
    device: str = "cpu",
    precision: str = "float32",
) -> Backbone:
    """A backbone with its weights, ready for clips.

    Args:
        name: one of `BACKBONES`; after those of the transformers library may come a colon and a hub id or folder, after
            those of sensors a colon and columns, see `with_columns`, after keypoints a colon and a skeleton.
        weights: its files or the folder that holds them; by default they are looked for in `weights_folder()`.
        device: "cpu", "cuda", ...
        precision: of the arithmetic: "float32", "bfloat16" or "float16".

    Raises:
        InputError: no such backbone, weights that are missing (with where to get them) or of another network.
    """
    check_precision(precision)
    files = [weights] if isinstance(weights, str | Path) else list(weights)
    kind, _, model = name.partition(":")
    if model and kind not in (*TRANSFORMERS, *OF_SENSORS, *OF_KEY_POINTS):
        raise InputError(f"backbone {kind!r} takes nothing after a colon, found {model!r}; weights go with --weights")
    if files and kind in WITHOUT_WEIGHTS:
        raise InputError(f"backbone {kind!r} has no weights, but {files[0]} was given")
    match kind:
        case "motion":
            from actionformer.backbones.motion import Motion

            return Motion()
        case "windows":
            from actionformer.backbones.sensors import Windows

            return Windows(model)
        case "statistics":
            from actionformer.backbones.sensors import Statistics

            return Statistics(model)
        case "keypoints":
            from actionformer.backbones.keypoints import KeyPoints

            return KeyPoints(model)
        case "logmel":
            from actionformer.backbones.logmel import LogMelStatistics

            return LogMelStatistics()
        case "yamnet":
            from actionformer.backbones.yamnet import YAMNet

            return YAMNet(weights=files)
        case "squeezenet":
            from actionformer.backbones.squeezenet import SqueezeNet

            return SqueezeNet(weights=files, device=device, precision=precision)
        case "efficientnet_lite0":
            from actionformer.backbones.efficientnet import EfficientNetLite0

            return EfficientNetLite0(weights=files, device=device, precision=precision)
        case "i3d" | "i3d_dis" | "i3d_rgb":
            from actionformer.backbones.i3d import FLOWS, TwoStreamI3D

            return TwoStreamI3D(weights=files, device=device, precision=precision, flow=FLOWS[kind])
        case "r2plus1d_tsp":
            from actionformer.backbones.r2plus1d import R2Plus1D

            return R2Plus1D(weights=files, device=device, precision=precision)
        case "slowfast_r50":
            from actionformer.backbones.slowfast import SlowFast

            return SlowFast(weights=files, device=device, precision=precision)
        case "pose":
            from actionformer.backbones.pose import Pose

            return Pose(weights=files)
        case "videomae" | "timesformer" | "vivit" | "vjepa2" | "huggingface":
            from actionformer.backbones.huggingface import HuggingFace

            return HuggingFace(name=name, weights=files, device=device, precision=precision)
    raise InputError(f"no backbone {name!r}{nearest(kind, list(BACKBONES))}; there are {', '.join(BACKBONES)}")
