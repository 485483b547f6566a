"""OpenTAD's repository of AFSD (Lin et al., CVPR 2021) on features; its configurations are programs."""

from __future__ import annotations

from torch import Tensor

from actionformer.interop.last_layers import CLASSES, cut
from actionformer.interop.repository import Repository

_CLASS_HEADS = ("rpn_head.conf_head.conv1d", "roi_head.prop_conf_head.conv1d")


def _parted(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Heads of background and classes as one head for each."""
    for name in _CLASS_HEADS:
        weights = cut(weights, name, CLASSES)
    return weights


AFSD = Repository(
    renames=(
        (r"^pyramid\.", "neck.pyramids."),
        (r"^frame\.0\.", "neck.deconv.0-1."),
        (r"^frame\.1\.", "neck.deconv.3-4."),
        (r"^frame\.2\.", "neck.deconv.6-7."),
        (r"^(neck\.deconv)\.(\d)-\d\.conv\.", r"\1.\2.conv1d."),
        (r"^(neck\.deconv)\.\d-(\d)\.norm\.", r"\1.\2."),
        (r"^location\.", "rpn_head.loc_tower."),
        (r"^category\.", "rpn_head.conf_tower."),
        (r"^distances\.", "rpn_head.loc_head.conv1d."),
        (r"^scales\.(\d+)$", r"rpn_head.scales.\1.scale"),
        (r"^coarse_classes\.", "rpn_head.conf_head.conv1d."),
        (r"^location_proposals\.", "roi_head.loc_proposal_branch."),
        (r"^category_proposals\.", "roi_head.conf_proposal_branch."),
        (r"_branch\.moment\.", "_branch.cur_point_conv."),
        (r"_branch\.boundary\.", "_branch.lr_conv."),
        (r"_branch\.frame\.", "_branch.roi_conv."),
        (r"_branch\.together\.", "_branch.proposal_conv."),
        (r"^shifts\.", "roi_head.prop_loc_head.conv1d."),
        (r"^refined_classes\.", "roi_head.prop_conf_head.conv1d."),
        (r"^center\.", "roi_head.center_head.conv1d."),
        (r"\.conv\.(weight|bias)$", r".0.conv1d.\1"),
        (r"\.norm\.(weight|bias)$", r".1.\1"),
    ),
    weights="state_dict",
    detector="afsd",
    own_weights=("neck.deconv.0.conv1d.weight", "roi_head.center_head.conv1d.weight"),
    prepare=_parted,
    changes={
        "data": {"normalize": False},
        "model": {"mask_padding": "published"},
        "decoding": {"cap_per": "video"},
        "suppression": {"cap_per": "video"},
    },
    class_rows="rpn_head.conf_head.conv1d.classes.weight",
)
