"""Every backbone, its weights drawn at random where they are somebody's: what it costs does not depend on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from common import shared_folder
from torch import Tensor

from actionformer.backbones import TRANSFORMERS, Backbone, efficientnet, load_backbone, squeezenet
from actionformer.backbones.huggingface import library
from actionformer.backbones.i3d import FLOW_FILE, RGB_FILE, InflatedInception
from actionformer.backbones.r2plus1d import R2Plus1D34
from actionformer.backbones.slowfast import SlowFastR50

OF_SHARED = ("pose", "yamnet")
"""Networks in files of another library, which nobody can draw."""
MODELS = {
    "videomae": ("VideoMAE", 224, 224),
    "timesformer": ("Timesformer", 224, 224),
    "vivit": ("Vivit", 256, 224),
    "vjepa2": ("VJEPA2", 256, 256),
}
"""Kind -> its name in the transformers library, whose default sizes are the published ones; short side, and crop."""


def loaded(name: str, folder: Path) -> Backbone:
    """A backbone; its weights are written into a folder.

    Raises:
        InputError: what it needs is not installed.
    """
    if name in OF_SHARED:
        return load_backbone(name, shared_folder("data/weights") / "data" / "weights")
    if name in TRANSFORMERS:
        return load_backbone(f"{name}:{_model(name, folder / name)}")
    paths = []
    for file, weights in _drawn(name).items():
        paths.append(folder / f"{name}_{file}")
        torch.save(weights, paths[-1])
    return load_backbone(name, paths)


def _drawn(name: str) -> dict[str, dict[str, Tensor]]:
    """The files of weights of a backbone, in the layout in which they are published; none where it has none."""
    match name:
        case "squeezenet":
            return {"torchvision.pth": squeezenet.Network(border=0).state_dict()}
        case "efficientnet_lite0":
            weights = efficientnet.Network().state_dict()
            return {"lite0.pth": {key.removeprefix("features."): tensor for key, tensor in weights.items()}}
        case "i3d" | "i3d_dis":
            return _drawn("i3d_rgb") | {FLOW_FILE: InflatedInception(in_channels=2).state_dict()}
        case "i3d_rgb":
            return {RGB_FILE: InflatedInception(in_channels=3).state_dict()}
        case "r2plus1d_tsp":
            return {"tsp.pth": {f"features.{key}": tensor for key, tensor in R2Plus1D34().state_dict().items()}}
        case "slowfast_r50":
            return {"slowfast.pth": SlowFastR50().state_dict()}
    return {}


def _model(kind: str, folder: Path) -> Path:
    """A model of the transformers library in a folder, with the settings of its images."""
    transformers: Any = library()
    name, side, crop = MODELS[kind]
    config = getattr(transformers, f"{name}Config")()
    transformers.utils.logging.disable_progress_bar()
    getattr(transformers, f"{name}Model")(config).save_pretrained(folder)
    settings = {"size": {"shortest_edge": side}, "crop_size": {"height": crop, "width": crop}}
    colours = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings | colours), "utf-8")
    return folder
