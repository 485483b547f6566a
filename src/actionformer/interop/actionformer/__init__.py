"""The repository of ActionFormer (Zhang, Wu & Li, ECCV 2022)."""

from __future__ import annotations

from typing import Any

from actionformer.interop import pyramid_keys
from actionformer.interop.repository import Repository, Tables

_MODEL = {
    "backbone_type": "convTransformer",
    "backbone_arch": (2, 2, 5),
    "n_head": 4,
    "n_mha_win_size": -1,
    "use_rel_pe": False,
}
_BLOCKS = (
    (r"^pyramid\.(stem|branch)", r"backbone.\1"),
    (r"\.attention_norm\.", ".ln1."),
    (r"\.mlp_norm\.", ".ln2."),
    (r"\.attention\.(query|key|value)_conv\.", r".attn.\1_conv.conv."),
    (r"\.attention\.relative_bias$", ".attn.rel_pe"),
    (r"\.attention\.", ".attn."),
    (r"\.expand\.", ".mlp.0."),
    (r"\.contract\.", ".mlp.3."),
    (r"\.drop_attention\.", ".drop_path_attn."),
    (r"\.drop_mlp\.", ".drop_path_mlp."),
    (r"\.(conv1|conv2|downsample)\.", r".\1.conv."),
)


def _translate(published: Tables) -> dict[str, dict[str, Any]]:
    model, train = published["model"], published["train_cfg"]
    transformer = model["backbone_type"] == "convTransformer"
    embedding, stem, branch = model["backbone_arch"]
    own = {
        "block": "transformer" if transformer else "convolution",
        "num_heads": model["n_head"],
        "window": model["n_mha_win_size"],
        "embedding_layers": embedding,
        "stem_blocks": stem,
        "branch_blocks": branch,
        "position": "sinusoidal" if model["use_abs_pe"] and transformer else "none",
        "relative_position": model["use_rel_pe"],
        "dropout": train["dropout"],
        "drop_path": train["droppath"],
    }
    return pyramid_keys.translate(published, own)


ACTIONFORMER = Repository(
    top=pyramid_keys.TOP,
    sections=pyramid_keys.sections(model=_MODEL),
    lists=(*pyramid_keys.LISTS, "n_mha_win_size"),
    allowed=pyramid_keys.ALLOWED | {("model", "backbone_type"): ("convTransformer", "conv")},
    own_backbones=("convTransformer",),
    own_keys=("n_head", "n_mha_win_size", "use_rel_pe"),
    translate=_translate,
    renames=(*pyramid_keys.RENAMES, *_BLOCKS),
)
