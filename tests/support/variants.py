"""Small networks of every kind, in which every part matters."""

from typing import Any

import torch
from torch import nn

from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.detectors.base import architecture_of
from actionformer.detectors.index import settings_of
from actionformer.inference.detector import Detector
from actionformer.inference.loading import build
from actionformer.nn.ensemble import Ensemble
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.nn.settings import PyramidSettings
from actionformer.settings.config import Config
from actionformer.settings.model import ModelSettings

TIMING = {"fps": 10, "stride": 5, "num_frames": 10}
BASE = {
    "input_dim": 6,
    "num_classes": 3,
    "width": 16,
    "branch_blocks": 3,
    "max_length": 64,
    "regression_ranges": ((0, 4), (4, 8), (8, 16), (16, 1000)),
}
OWN = {"actionformer": {"num_heads": 2, "window": 5}, "tridet": {"window": 5}}
"""What small networks of a detector have besides."""
FIVE_LEVELS = ((0, 4), (0, 4), (4, 8), (8, 16), (16, 1000))
TRIDET = {"detector": "tridet", "width": 64, "init_deviation": 0.2, "window_factor": 1.2, "boundary_bins": 4}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "fpn": {"neck": "fpn", "neck_width": 12, "head_width": 10},
    "no norms": {"embedding_norm": False, "neck_norm": False, "head_norm": False},
    "fpn, no norms": {"neck": "fpn", "embedding_norm": False, "neck_norm": False, "head_norm": False},
    "convolution": {"block": "convolution"},
    "convolution, fpn": {"block": "convolution", "neck": "fpn"},
    "convolution, no norms": {"block": "convolution", "embedding_norm": False, "neck_norm": False},
    "sinusoidal": {"position": "sinusoidal"},
    "learned": {"position": "learned"},
    "global": {"window": 0},
    "some global": {"window": (5, 5, 0, 0), "position": "sinusoidal"},
    "relative": {"relative_position": True},
    "projections": {"input_dim": (4, 2), "projection": (10, 6)},
    "list without projections": {"input_dim": (4, 2)},
    "stem levels": {"stem_levels": True, "regression_ranges": FIVE_LEVELS},
    "stem levels, fpn": {"stem_levels": True, "neck": "fpn", "regression_ranges": FIVE_LEVELS},
    "no stem": {"stem_blocks": 0},
    "no drop path": {"drop_path": 0.0},
    "relu": {"offsets": "relu"},
    "wide kernels": {"embedding_kernel": 5, "head_kernel": 5},
    "one layer each": {"embedding_layers": 1, "head_layers": 1},
    "max pooling": {"block": "maxpool"},
    "temporalmaxer": {"detector": "temporalmaxer"},
    "temporalmaxer, fpn, no norms": {"detector": "temporalmaxer", "neck": "fpn", "neck_norm": False},
    "temporalmaxer, groupnorm": {"detector": "temporalmaxer", "level_norm": "groupnorm"},
    "temporalmaxer, groupnorm, fpn": {"detector": "temporalmaxer", "level_norm": "groupnorm", "neck": "fpn"},
    "trident": {"boundary": "trident", "boundary_bins": 4},
    "trident, fpn, relu": {
        "boundary": "trident",
        "boundary_bins": 3,
        "boundary_kernel": 1,
        "neck": "fpn",
        "offsets": "relu",
    },
    "tridet": TRIDET,
    "tridet, fpn": TRIDET | {"neck": "fpn", "downsampling": "average", "head_kernel": 5, "boundary_kernel": 1},
    "tridet, plain": TRIDET | {"boundary": "plain", "position": "sinusoidal", "drop_path": 0.0, "window": 1},
    "max pooling, trident": {"block": "maxpool", "boundary": "trident", "boundary_bins": 5, "head_kernel": 5},
}


def pyramid_settings(config: Config) -> PyramidSettings:
    """The settings of a network that is a pyramid."""
    assert isinstance(config.model, PyramidSettings)
    return config.model


def actionformer_settings(config: Config) -> ActionFormerSettings:
    """The settings of an ActionFormer's network."""
    assert isinstance(config.model, ActionFormerSettings)
    return config.model


def small_settings(**changes: Any) -> PyramidSettings:
    """Settings of a small network."""
    detector = changes.get("detector", "actionformer")
    settings = settings_of(detector)(**(BASE | OWN.get(detector, {}) | changes))
    assert isinstance(settings, PyramidSettings)
    return settings


def make(**changes: Any) -> PyramidNetwork:
    """A network in which every part matters: fresh drop-path scales of 1e-4 would hide what the blocks do."""
    torch.manual_seed(0)
    model = architecture_of(Config(model=small_settings(**changes))).network().eval()
    assert isinstance(model, PyramidNetwork)
    for name, parameter in model.named_parameters():
        if parameter.dim() <= 1:
            centre = 0.0 if name.endswith("bias") else 1.0
            nn.init.normal_(parameter, centre, 0.3)
    nn.init.normal_(model.normalizer.mean)
    return model


def lively_detector(tiny: Config, **sections: Any) -> Detector:
    """A detector whose scores spread and whose every part matters."""
    shared = ("width", "branch_blocks", "regression_ranges", "max_length")  # what another detector keeps of `tiny`
    model = {name: getattr(tiny.model, name) for name in shared}
    model |= {"input_dim": 6, "num_classes": 3} | sections.pop("model", {})
    torch.manual_seed(3)
    detector = build(tiny.replace(model=model, data=TIMING | sections.pop("data", {}), **sections))
    with torch.no_grad():
        for network in detector.model.networks if isinstance(detector.model, Ensemble) else [detector.model]:
            assert isinstance(network, PyramidNetwork)
            for name, parameter in network.named_parameters():
                if "scale" in name:
                    parameter.fill_(1.0)
            network.classifier.output.weight.mul_(6)
            assert network.classifier.output.bias is not None
            network.classifier.output.bias.fill_(-2.0)
    return detector


def published_length(length: int, settings: ModelSettings) -> int:
    """What published inference pads a sequence to."""
    published = settings.model_copy(update={"mask_padding": "published"})
    return architecture_of(Config(model=published)).padded_length(length)


def computed_length(length: int, settings: PyramidSettings) -> int:
    """What is computed for a sequence."""
    return architecture_of(Config(model=settings)).computed_length(length)
