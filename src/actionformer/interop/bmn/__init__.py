"""Two repositories of BMN (Lin et al., ICCV 2019): JJBOY's, for proposals on ActivityNet, and OpenTAD's."""

from __future__ import annotations

from torch import Tensor

from actionformer.interop.last_layers import parted
from actionformer.interop.repository import Repository


def _of_jjboy(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the mask that samples segments, which settings say as well."""
    kept = {name: tensor for name, tensor in weights.items() if name != "sample_mask"}
    return parted(kept, "x_2d_p.6", ("overlap", "classes"))


def _of_opentad(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return parted(weights, "roi_head.proposal_head.head.2", ("classes", "overlap"))


_CAPS = {"cap_per": "video"}
JJBOY = Repository(
    renames=(
        (r"^base\.0\.", "x_1d_b.0."),
        (r"^base\.1\.", "x_1d_b.2."),
        (r"^(start|end)\.hidden\.", r"\1.0."),
        (r"^(start|end)\.output\.", r"\1.2."),
        (r"^start\.", "x_1d_s."),
        (r"^end\.", "x_1d_e."),
        (r"^reduce\.", "x_1d_p.0."),
        (r"^matching\.", "x_3d_p.0."),
        (r"^map\.narrow\.", "x_2d_p.0."),
        (r"^map\.convs\.0\.", "x_2d_p.2."),
        (r"^map\.convs\.1\.", "x_2d_p.4."),
        (r"^map\.", "x_2d_p.6."),
    ),
    weights="state_dict",
    detector="bmn",
    own_weights=("sample_mask", "x_3d_p.0.weight"),
    prepare=_of_jjboy,
    sizes={"sample_mask": "max_length"},
    changes={
        "data": {"normalize": False},
        "model": {"convention": "jjboy"},
        "decoding": _CAPS | {"min_probability": 0.0, "top_k": 100_000, "boundaries": "all", "boundary_scores": True},
        "suppression": _CAPS,
    },
)
OPENTAD = Repository(
    renames=(
        (r"^base\.", "projection.convs."),
        (r"^(projection\.convs\.\d)\.", r"\1.conv."),
        (r"^start\.", "rpn_head.tem.0."),
        (r"^end\.", "rpn_head.tem.1."),
        (r"\.hidden\.", ".0.conv."),
        (r"\.output\.", ".1.conv."),
        (r"^reduce\.", "roi_head.proposal_roi_extractor.reduce_dim.0."),
        (r"^matching\.", "roi_head.proposal_roi_extractor.conv3d.0."),
        (r"^map\.narrow\.", "roi_head.proposal_roi_extractor.conv2d.0."),
        (r"^map\.convs\.(\d)\.", r"roi_head.proposal_head.head.\1.0."),
        (r"^map\.", "roi_head.proposal_head.head.2."),
    ),
    weights="state_dict",
    detector="bmn",
    own_weights=("rpn_head.tem.0.0.conv.weight", "roi_head.proposal_roi_extractor.conv3d.0.weight"),
    prepare=_of_opentad,
    changes={
        "data": {"normalize": False},
        "model": {"convention": "opentad"},
        "decoding": _CAPS | {"min_probability": 0.0, "top_k": 100_000},
        "suppression": _CAPS,
    },
)
