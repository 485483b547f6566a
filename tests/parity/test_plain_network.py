"""The network against a plain one, for the variants that no stored case holds.

See `plain.py`.
"""

from typing import Any

import pytest
import torch
from plain import PlainActionFormer
from published import published_weights

from actionformer.detectors.actionformer.network import build_network
from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.interop.actionformer import ACTIONFORMER
from actionformer.nn.pyramid_network import PyramidNetwork

VARIANTS: dict[str, dict[str, Any]] = {
    "relative position": {"relative_position": True, "window": 5},
    "relative position, windows by level": {"relative_position": True, "window": (5, 5, 7, 3, 1, -1)},
    "projections": {"input_dim": (3, 4), "projection": (6, 10)},
    "fpn": {"neck": "fpn", "neck_width": 24, "head_width": 20, "window": 5},
    "fpn without norms": {
        "neck": "fpn",
        "neck_norm": False,
        "head_norm": False,
        "embedding_norm": False,
        "window": 5,
    },
    "identity without norm": {"neck_norm": False, "head_norm": False, "window": 9},
    "position encoding": {"position": "sinusoidal", "window": 3},
    "no drop path": {"drop_path": 0.0, "window": 19},
    "eight levels": {"branch_blocks": 7, "regression_ranges": [[0, 4]] * 8, "window": 3, "max_length": 256},
    "other kernels and depths": {
        "embedding_kernel": 5,
        "embedding_layers": 1,
        "head_kernel": 1,
        "head_layers": 4,
        "stem_blocks": 3,
    },
}


def build(variant: str) -> tuple[PyramidNetwork, ActionFormerSettings]:
    common = {"input_dim": 7, "width": 16, "num_classes": 3, "max_length": 64, "mask_padding": "published"}
    settings = ActionFormerSettings(**{**common, "offsets": "relu", **VARIANTS[variant]})
    torch.manual_seed(0)
    model = build_network(settings).eval()
    with torch.no_grad():  # scales near 1: the initial 1e-4 hides every fault
        for name, parameter in model.named_parameters():
            if "drop_" in name:
                parameter.fill_(1)
            if parameter.dim() < 2 or "relative_bias" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return model, settings


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("times", [1, 2])
@torch.no_grad()
def test_variants(variant: str, times: int) -> None:
    """Sequences padded to max_length, and longer ones, two of other lengths in a batch."""
    model, settings = build(variant)
    length = times * settings.max_length
    valid = torch.arange(length) < torch.tensor([[length - 27], [length // 3]])
    features = torch.randn(2, length, 7) * valid[..., None]
    found = model(features, valid)
    expected = PlainActionFormer(published_weights(model, ACTIONFORMER), settings)(features.mT, valid[:, None].float())
    for one, plain in zip((found.logits, found.offsets, found.pyramid), expected, strict=True):
        for level, other in zip(one, plain, strict=True):
            torch.testing.assert_close(level, other.mT, atol=1e-5, rtol=1e-5)
