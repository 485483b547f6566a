"""The repository of MUSES (Liu et al., CVPR 2021): a checkpoint is one stream, of RGB or of optical flow."""

from __future__ import annotations

import re

from torch import Tensor

from actionformer.interop.last_layers import CLASSES, cut
from actionformer.interop.repository import Repository

_ENDS = {"centre": slice(0, None, 2), "length": slice(1, None, 2)}
"""Of each class, row after row."""


def _prepared(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of one row per class each, taps without the axis of size 1, and the statistics of shifts."""
    found: dict[str, Tensor] = {}
    for name, tensor in cut(cut(weights, "roi_head.activity_fc", CLASSES), "roi_head.regressor_fc", _ENDS).items():
        if name == "reg_stats" and len(tensor) == 2:
            found |= {f"{name}.{part}": row.float() for part, row in zip(("mean", "deviation"), tensor, strict=True)}
        elif re.search(r"\.branches\.\d+\.\w+$", name) and tensor.ndim == 4:
            found[name] = tensor.squeeze(2)
        else:
            found[name] = tensor
    return found


_CAPS = {"cap_per": "video"}
MUSES = Repository(
    renames=(
        (r"\.layers\.0\.", ".backbone.layers.0."),
        (r"\.layers\.1\.", ".backbone.layers.2."),
        (r"\.own\.", ".roi_head.Act_MLP.0."),
        (r"\.whole\.", ".roi_head.Comp_MLP.0."),
        (r"\.activity\.", ".roi_head.activity_fc."),
        (r"\.completeness\.", ".roi_head.completeness_fc."),
        (r"\.(centre|length)\.", r".roi_head.regressor_fc.\1."),
        (r"\.(mean|deviation)$", r".reg_stats.\1"),
    ),
    weights="state_dict",
    beside=("reg_stats",),
    streams=(1.0, 1.2),
    detector="muses",
    own_weights=("roi_head.completeness_fc.weight", "roi_head.Comp_MLP.0.weight"),
    prepare=_prepared,
    changes={
        "data": {"normalize": False},
        "model": {"whole_frames": 8},
        "decoding": _CAPS | {"min_probability": 0.0, "min_length": 0.0},
        "suppression": _CAPS | {"min_score": 0.0},
    },
)
