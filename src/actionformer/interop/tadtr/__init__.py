"""The repository of TadTR (Liu et al., TIP 2022): configurations without sections, `opts.py` has their defaults."""

from __future__ import annotations

from typing import Any

from actionformer.core.errors import InputError
from actionformer.interop.repository import Repository, Tables
from actionformer.settings.loading import load_config

# Paths, devices and what has to do with frames as input mean nothing here.
_TOP: dict[str, Any] = {
    "tensorboard": False,
    "disable_cuda": False,
    "dfm_att_backend": "pytorch",
    "output_dir": "",
    "dataset_name": "thumos14",
    "input_type": "feature",
    "feature": "i3d2s",
    "feature_dim": 2048,
    "binary": False,
    "test_set": "val",
    "online_slice": False,
    "slice_len": None,
    "slice_overlap": 0.0,
    "test_slice_overlap": 0.0,
    "backbone": "none",
    "use_pos_embed": True,
    "position_embedding": "sine",
    "enc_layers": 2,
    "dec_layers": 4,
    "dim_feedforward": 2048,
    "hidden_dim": 256,
    "dropout": 0.1,
    "nheads": 8,
    "enc_n_points": 4,
    "dec_n_points": 4,
    "num_queries": 30,
    "activation": "relu",
    "seg_refine": True,
    "act_reg": True,
    "disable_query_self_att": False,
    "aux_loss": True,
    "act_loss_coef": 4,
    "cls_loss_coef": 2,
    "seg_loss_coef": 5,
    "iou_loss_coef": 2,
    "eos_coef": 0.1,
    "focal_alpha": 0.25,
    "set_cost_class": 6,
    "set_cost_seg": 5,
    "set_cost_iou": 2,
    "lr": 2e-4,
    "lr_backbone_names": ["backbone"],
    "lr_backbone": 1e-5,
    "lr_linear_proj_names": ["reference_points", "sampling_offsets"],
    "lr_linear_proj_mult": 0.1,
    "optimizer": "AdamW",
    "batch_size": 16,
    "weight_decay": 1e-4,
    "clip_max_norm": 0.1,
    "epochs": 16,
    "lr_step": [14],
    "ckpt_interval": 10,
    "iter_size": 1,
    "test_interval": 1,
    "postproc_rank": 1,
    "postproc_cls_topk": 1,
    "postproc_ins_topk": 100,
    "nms_thr": 0.4,
}
_DECODING = {"min_probability": 0.0, "min_length": 0.0, "cap_per": "length"}
_RENAMES = (
    (r"^(en|de)coder\.(\d+)\.", r"transformer.\1coder.layers.\2."),
    (r"^(transformer\.encoder.*)\.attention\.", r"\1.self_attn."),
    (r"^(transformer\.encoder.*)\.attention_norm\.", r"\1.norm1."),
    (r"^(transformer\.encoder.*)\.mlp\.norm\.", r"\1.norm2."),
    (r"\.self_attention\.", ".self_attn."),
    (r"\.self_norm\.", ".norm2."),
    (r"\.attention\.", ".cross_attn."),
    (r"\.attention_norm\.", ".norm1."),
    (r"\.mlp\.norm\.", ".norm3."),
    (r"\.mlp\.expand\.", ".linear1."),
    (r"\.mlp\.contract\.", ".linear2."),
    (r"\.offsets\.", ".sampling_offsets."),
    (r"_attn\.weights\.", "_attn.attention_weights."),
    (r"_attn\.(value|output)\.", r"_attn.\1_proj."),
    (r"^level$", "transformer.level_embed"),
    (r"^first_point\.", "transformer.reference_points."),
    (r"^queries$", "query_embed.weight"),
    (r"^projection\.", "input_proj.0.0."),
    (r"^projection_norm\.", "input_proj.0.1."),
    (r"^classifiers\.", "class_embed."),
    (r"^refiners\.(\d+)\.hidden\.", r"segment_embed.\1.layers."),
    (r"^refiners\.(\d+)\.last\.", r"segment_embed.\1.layers.2."),
    (r"^actionness\.hidden\.0\.", "actionness_pred.0."),
    (r"^actionness\.hidden\.1\.", "actionness_pred.2."),
    (r"^actionness\.last\.", "actionness_pred.4."),
)


def _translate(published: Tables) -> dict[str, dict[str, Any]]:
    """Times are as published with `data.num_frames` the stride: there the first feature begins at 0."""
    window = published["slice_len"]
    if window is None:
        raise InputError("slice_len is missing: it is the length in features that the network sees at once")
    preset = load_config("tadtr_thumos14_i3d")
    training = preset.training.model_dump()
    return {
        "data": _data(published, window),
        "model": _model(published),
        "training": training
        | {
            "epochs": published["epochs"],
            "drop_epochs": published["lr_step"],
            "batch_size": published["batch_size"],
            "accumulate": published["iter_size"],
            "learning_rate": published["lr"],
            "weight_decay": published["weight_decay"],
            "gradient_clip": max(published["clip_max_norm"], 0.0),
        },
        "decoding": {**_DECODING, "top_k": published["postproc_ins_topk"]},
        "suppression": {
            "method": "none",
            "window_tiou": published["nms_thr"],
            "max_detections": 200,
            "cap_per": "length",
        },
        "evaluation": preset.evaluation.model_dump() if published["dataset_name"] == "thumos14" else {},
    }


def _data(published: Tables, window: int) -> dict[str, Any]:
    stride = {"stride": 8, "num_frames": 8} if published["feature"] == "i3d2s" else {}
    length = {"window": window} if published["online_slice"] else {"resize": window}
    return {
        "train_subset": ["validation"] if published["dataset_name"] == "thumos14" else ["training"],
        "test_subset": ["test"] if published["dataset_name"] == "thumos14" else ["validation"],
        "normalize": False,
        "crop_ratio": (1.0, 1.0),
        "min_overlap": 0.75,
        "train_overlap": published["slice_overlap"],
        "test_overlap": published["test_slice_overlap"],
        **stride,
        **length,
    }


def _model(published: Tables) -> dict[str, Any]:
    return {
        "detector": "tadtr",
        "input_dim": published["feature_dim"],
        "max_length": published["slice_len"],
        "width": published["hidden_dim"],
        "num_queries": published["num_queries"],
        "num_heads": published["nheads"],
        "num_points": published["enc_n_points"],
        "encoder_layers": published["enc_layers"],
        "decoder_layers": published["dec_layers"],
        "mlp_width": published["dim_feedforward"],
        "dropout": published["dropout"],
        "mask_padding": "published",
        "class_weight": published["cls_loss_coef"],
        "segment_weight": published["seg_loss_coef"],
        "iou_weight": published["iou_loss_coef"],
        "actionness_weight": published["act_loss_coef"],
    }


TADTR = Repository(
    top=_TOP,
    sections={},
    lists=(),
    allowed={
        ("", "input_type"): ("feature",),
        ("", "binary"): (False,),
        ("", "use_pos_embed"): (True,),
        ("", "position_embedding"): ("sine",),
        ("", "enc_n_points"): (4,),
        ("", "dec_n_points"): (4,),
        ("", "activation"): ("relu",),
        ("", "seg_refine"): (True,),
        ("", "act_reg"): (True,),
        ("", "disable_query_self_att"): (False,),
        ("", "aux_loss"): (True,),
        ("", "focal_alpha"): (0.25,),
        ("", "set_cost_class"): (6,),
        ("", "set_cost_seg"): (5,),
        ("", "set_cost_iou"): (2,),
        ("", "lr_linear_proj_mult"): (0.1,),
        ("", "optimizer"): ("AdamW",),
        ("", "postproc_rank"): (1,),
    },
    own_backbones=(),
    own_keys=("slice_len", "online_slice", "enc_layers", "dec_layers", "num_queries"),
    translate=_translate,
    renames=_RENAMES,
    repeated=((r"^transformer\.decoder\.segment_embed\.", "segment_embed."),),
    weights="model",
    detector="tadtr",
    own_weights=("transformer.reference_points.weight", "transformer.level_embed"),
    changes={
        "data": {"normalize": False},
        "model": {"mask_padding": "published"},
        "decoding": _DECODING,
        "suppression": {"cap_per": "length"},
    },
    class_rows="class_embed.0.weight",
)
