"""The repository of TriDet (Shi et al., CVPR 2023)."""

from __future__ import annotations

from typing import Any

from actionformer.interop import pyramid_keys
from actionformer.interop.repository import Repository, Tables

_MODEL = {
    "backbone_type": "SGP",
    "backbone_arch": (2, 2, 5),
    "n_sgp_win_size": -1,
    "sgp_mlp_dim": None,
    "k": 1.5,
    "init_conv_vars": 0,
    "downsample_type": "max",
    "boudary_kernel_size": 3,  # as published
    "use_trident_head": True,
    "num_bins": 16,
    "iou_weight_power": 1.0,
    "input_noise": 0,
}
_BLOCKS = (
    (r"^pyramid\.(stem|branch)", r"backbone.\1"),
    (r"\.input_norm\.", ".ln."),
    (r"\.mlp_norm\.", ".gn."),
    (r"\.perception\.gate\.", ".psi."),
    (r"\.perception\.instant\.", ".fc."),
    (r"\.perception\.pooled\.", ".global_fc."),
    (r"\.perception\.narrow\.", ".convw."),
    (r"\.perception\.wide\.", ".convkw."),
    (r"\.expand\.", ".mlp.0."),
    (r"\.contract\.", ".mlp.2."),
    (r"\.drop_perception\.", ".drop_path_out."),
    (r"\.drop_mlp\.", ".drop_path_mlp."),
    (r"\.downsampling\.linear\.", ".downsample.1."),
)


def _translate(published: Tables) -> dict[str, dict[str, Any]]:
    model = published["model"]
    embedding, stem, branch = model["backbone_arch"]
    own = {
        "detector": "tridet",
        "embedding_layers": embedding,
        "stem_blocks": stem,
        "branch_blocks": branch,
        "window": model["n_sgp_win_size"],
        "window_factor": model["k"],
        "mlp_width": model["sgp_mlp_dim"],
        "init_deviation": model["init_conv_vars"],
        "downsampling": {"avg": "average"}.get(model["downsample_type"], model["downsample_type"]),
        "position": "sinusoidal" if model["use_abs_pe"] else "none",
        "drop_path": published["train_cfg"]["droppath"],
        "boundary": "trident" if model["use_trident_head"] else "plain",
        "boundary_bins": model["num_bins"],
        "boundary_kernel": model["boudary_kernel_size"],
        "iou_power": model["iou_weight_power"],
    }
    settings = pyramid_keys.translate(published, own)
    settings["data"] |= {"feature_noise": model["input_noise"], "crop_margin": 0.0}
    settings["training"] |= {"lowest_rate": published["opt"]["eta_min"]}
    settings["suppression"] |= {"voting_weight": "score"}
    return settings


TRIDET = Repository(
    top=pyramid_keys.TOP | {"model_name": "TriDet"},
    sections=pyramid_keys.sections(dataset={"backbone_type": None}, model=_MODEL, opt={"eta_min": 1e-8}),
    lists=pyramid_keys.LISTS,
    allowed=pyramid_keys.ALLOWED | {("model", "backbone_type"): ("SGP",), ("model", "downsample_type"): ("max", "avg")},
    own_backbones=("SGP",),
    own_keys=("n_sgp_win_size", "sgp_mlp_dim", "use_trident_head", "num_bins", "iou_weight_power", "init_conv_vars"),
    translate=_translate,
    renames=(*pyramid_keys.RENAMES, *_BLOCKS),
)
