"""The repository of TemporalMaxer (Tang, Kim & Sohn, arXiv 2303.09055)."""

from __future__ import annotations

from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.names import nearest
from actionformer.interop import pyramid_keys
from actionformer.interop.repository import Repository, Tables

_ASSIGNER = {"iou_weight": 2, "cls_weight": 1.0, "center_radius": 1.5, "keep_percent": 1.0, "confuse_weight": 0.0}
_MODEL = {
    "backbone_type": "convPooler",
    "backbone_arch": (2, 5),
    "fpn_norm": "groupnorm",
    "assigner": _ASSIGNER,
}


def _translate(published: Tables) -> dict[str, dict[str, Any]]:
    model = published["model"]
    embedding, branch = model["backbone_arch"]
    own = {
        "detector": "temporalmaxer",
        "embedding_layers": embedding,
        "branch_blocks": branch,
        "level_norm": model["fpn_norm"],
        "offset_target": "cheapest",
    }
    settings = pyramid_keys.translate(published, own)
    settings["data"] |= {"crop_margin": 0.0}
    # The assigner has a radius of its own: published files say `center_sample: none`, which means nothing here.
    settings["training"] |= {"center_sampling": True, "center_radius": _center_radius(model["assigner"])}
    return settings


def _center_radius(assigner: Tables) -> Any:
    """The one number of the assigner that may be another; with the others as shipped it is ActionFormer's rule."""
    for key, value in assigner.items():
        if key not in _ASSIGNER:
            raise InputError(f"unknown key model.assigner.{key}{nearest(key, list(_ASSIGNER))}")
        if key != "center_radius" and value != _ASSIGNER[key]:
            raise InputError(f"model.assigner.{key} is {value!r}, only {_ASSIGNER[key]!r} is known")
    return {**_ASSIGNER, **assigner}["center_radius"]


TEMPORALMAXER = Repository(
    top=pyramid_keys.TOP | {"model_name": "TemporalMaxerArchitecture"},
    sections=pyramid_keys.sections(model=_MODEL),
    lists=pyramid_keys.LISTS,
    allowed=pyramid_keys.ALLOWED
    | {
        ("model", "backbone_type"): ("convPooler",),
        ("model", "fpn_type"): ("identity",),
        ("model", "fpn_norm"): ("groupnorm", "layernorm"),
        ("model", "use_abs_pe"): (False,),
    },
    own_backbones=("convPooler",),
    own_keys=("assigner", "fpn_norm"),
    translate=_translate,
    renames=pyramid_keys.RENAMES,
    repeated=((r"^neck\.fpn_norms\.\d+\.", "neck.fpn_norms.0."),),
)
