"""What ActionFormer's repository and those that began as copies of it share: configuration keys, names of weights."""

from __future__ import annotations

from typing import Any

from actionformer.interop.repository import Tables
from actionformer.nn.settings import DEFAULT_RANGES
from actionformer.settings.loading import load_config

# Paths and devices mean nothing here.
TOP: dict[str, Any] = {
    "dataset_name": "epic",
    "train_split": ["training"],
    "val_split": ["validation"],
    "model_name": "LocPointTransformer",
    "init_rand_seed": 1234567891,
    "devices": ["cuda:0"],
    "output_folder": None,
}
SECTIONS: dict[str, dict[str, Any]] = {
    "dataset": {
        "json_file": None,
        "feat_folder": None,
        "file_prefix": None,
        "file_ext": ".npy",
        "num_classes": 97,
        "input_dim": 2304,
        "feat_stride": 16,
        "num_frames": 32,
        "default_fps": None,
        "downsample_rate": 1,
        "max_seq_len": 2304,
        "trunc_thresh": 0.5,
        "crop_ratio": None,
        "force_upsampling": False,
    },
    "model": {
        "fpn_type": "identity",
        "scale_factor": 2,
        "regression_range": [list(pair) for pair in DEFAULT_RANGES],
        "embd_kernel_size": 3,
        "embd_dim": 512,
        "embd_with_ln": True,
        "fpn_dim": 512,
        "fpn_with_ln": True,
        "fpn_start_level": 0,
        "head_dim": 512,
        "head_kernel_size": 3,
        "head_num_layers": 3,
        "head_with_ln": True,
        "max_buffer_len_factor": 6.0,
        "use_abs_pe": False,
    },
    "train_cfg": {
        "center_sample": "radius",
        "center_sample_radius": 1.5,
        "loss_weight": 1.0,
        "cls_prior_prob": 0.01,
        "init_loss_norm": 2000,
        "clip_grad_l2norm": -1,
        "head_empty_cls": [],
        "dropout": 0.0,
        "droppath": 0.1,
        "label_smoothing": 0.0,
    },
    "test_cfg": {
        "pre_nms_thresh": 0.001,
        "pre_nms_topk": 5000,
        "iou_threshold": 0.1,
        "min_score": 0.01,
        "max_seg_num": 1000,
        "nms_method": "soft",
        "nms_sigma": 0.5,
        "duration_thresh": 0.05,
        "multiclass_nms": True,
        "ext_score_file": None,
        "voting_thresh": 0.75,
    },
    "opt": {
        "type": "AdamW",
        "momentum": 0.9,
        "weight_decay": 0.0,
        "learning_rate": 1e-3,
        "epochs": 30,
        "warmup": True,
        "warmup_epochs": 5,
        "schedule_type": "cosine",
        "schedule_steps": [],
        "schedule_gamma": 0.1,
    },
    "loader": {"batch_size": 8, "num_workers": 4},
}
LISTS = ("input_dim", "embd_dim")
ALLOWED: dict[tuple[str, str], tuple[Any, ...]] = {
    ("dataset", "downsample_rate"): (1,),
    ("model", "scale_factor"): (2,),
    ("model", "fpn_start_level"): (0,),
    ("model", "fpn_type"): ("identity", "fpn"),
    ("train_cfg", "center_sample"): ("radius", "none"),
    ("test_cfg", "nms_method"): ("soft", "hard", "none"),
    ("opt", "type"): ("AdamW", "Adam"),
    ("opt", "schedule_type"): ("cosine",),
}
# The preset with the tIoU thresholds that the published code evaluates a data set at.
_EVALUATED_AS = {
    "thumos": "thumos14_i3d",
    "multithumos": "temporalmaxer_multithumos_i3d",
    "anet": "activitynet_tsp",
    "hacs": "activitynet_tsp",
    "epic": "epic100_verb",
    "ego4d": "ego4d_slowfast",
}
# Our names of weights -> theirs, of the parts outside of the pyramid's blocks.
RENAMES = (
    (r"^embedding\.projections\.(\d+)", r"backbone.proj.\1.conv"),
    (r"^embedding\.convs\.(\d+)", r"backbone.embd.\1.conv"),
    (r"^embedding\.norms\.(\d+)", r"backbone.embd_norm.\1"),
    (r"^neck\.norms\.", "neck.fpn_norms."),
    (r"^neck\.laterals\.(\d+)", r"neck.lateral_convs.\1.conv"),
    (r"^neck\.convs\.(\d+)", r"neck.fpn_convs.\1.conv"),
    (r"^classifier\.output", "cls_head.cls_head.conv"),
    (r"^boundary\.(start|end)\.output", r"\1_head.cls_head.conv"),
    (r"^regressor\.output", "reg_head.offset_head.conv"),
    (r"^classifier", "cls_head"),
    (r"^boundary\.(start|end)", r"\1_head"),
    (r"^regressor", "reg_head"),
    (r"_head\.convs\.(\d+)", r"_head.head.\1.conv"),
    (r"_head\.norms\.", "_head.norm."),
    (r"^offset_activation\.scales\.(\d+)$", r"reg_head.scale.\1.scale"),
)


def sections(**more: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The shared sections with more keys, or with other defaults, in some of them."""
    return {name: {**defaults, **more.get(name, {})} for name, defaults in SECTIONS.items()}


def translate(published: Tables, model: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Our settings for the shared keys, with those of the network that are a detector's own."""
    return {
        "data": _data(published),
        "model": _model(published) | model,
        "training": _training(published),
        "decoding": _decoding(published["test_cfg"]),
        "suppression": _suppression(published["test_cfg"]),
        "evaluation": _evaluation(published["dataset_name"]),
    }


def _data(published: Tables) -> dict[str, Any]:
    dataset = published["dataset"]
    return {
        "train_subset": published["train_split"],
        "test_subset": published["val_split"],
        "prefix": dataset["file_prefix"] or "",
        "fps": dataset["default_fps"],
        "stride": dataset["feat_stride"],
        "num_frames": dataset["num_frames"],
        "resize": dataset["max_seq_len"] if dataset["force_upsampling"] else None,
        "normalize": False,
        "crop_ratio": dataset["crop_ratio"] or (1.0, 1.0),
        "min_overlap": dataset["trunc_thresh"],
    }


def _model(published: Tables) -> dict[str, Any]:
    dataset, model = published["dataset"], published["model"]
    widths = model["embd_dim"]
    listed = isinstance(widths, list | tuple)
    return {
        "input_dim": dataset["input_dim"],
        "num_classes": dataset["num_classes"],
        "projection": widths if listed else None,
        "width": sum(widths) if listed else widths,
        "neck": model["fpn_type"],
        "neck_width": model["fpn_dim"],
        "head_width": model["head_dim"],
        "embedding_kernel": model["embd_kernel_size"],
        "head_kernel": model["head_kernel_size"],
        "head_layers": model["head_num_layers"],
        "embedding_norm": model["embd_with_ln"],
        "neck_norm": model["fpn_with_ln"],
        "head_norm": model["head_with_ln"],
        "max_length": dataset["max_seq_len"],
        "mask_padding": "published",
        "offsets": "relu",
        "class_prior": published["train_cfg"]["cls_prior_prob"],
        "regression_ranges": model["regression_range"],
    }


def _training(published: Tables) -> dict[str, Any]:
    train, opt = published["train_cfg"], published["opt"]
    return {
        "epochs": opt["epochs"],
        "warmup_epochs": opt["warmup_epochs"] if opt["warmup"] else 0,
        "batch_size": published["loader"]["batch_size"],
        "optimizer": opt["type"].lower(),
        "learning_rate": opt["learning_rate"],
        "weight_decay": opt["weight_decay"],
        "gradient_clip": max(train["clip_grad_l2norm"], 0.0),
        "average_warmup": False,
        "center_sampling": train["center_sample"] == "radius",
        "center_radius": train["center_sample_radius"],
        "regression_weight": train["loss_weight"],
        "label_smoothing": train["label_smoothing"],
        "initial_normalizer": train["init_loss_norm"],
        "empty_class_prior": published["dataset_name"] == "epic",
    }


def _decoding(test: Tables) -> dict[str, Any]:
    return {
        "min_probability": test["pre_nms_thresh"],
        "top_k": test["pre_nms_topk"],
        "cap_per": "video",
        "min_length": test["duration_thresh"],
    }


def _suppression(test: Tables) -> dict[str, Any]:
    return {
        "method": test["nms_method"],
        "per_class": test["multiclass_nms"],
        "sigma": test["nms_sigma"],
        "tiou_threshold": test["iou_threshold"],
        "min_score": test["min_score"],
        "max_detections": test["max_seg_num"],
        "cap_per": "video",
        "voting_threshold": max(test["voting_thresh"], 0.0),
    }


def _evaluation(dataset: Any) -> dict[str, Any]:
    preset = _EVALUATED_AS.get(str(dataset))
    return load_config(preset).evaluation.model_dump() if preset else {}
