"""The published YAML configurations, read into our settings. What is not known is refused by name."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from actionformer.core.errors import InputError
from actionformer.core.files import LARGEST_SETTINGS, parsing, read_text
from actionformer.core.names import nearest
from actionformer.nn.settings import DEFAULT_RANGES
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config

# Every key of a published file with the default it takes when absent; paths and devices mean nothing here.
_DEFAULTS: dict[str, dict[str, Any]] = {
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
        "backbone_type": "convTransformer",
        "fpn_type": "identity",
        "backbone_arch": [2, 2, 5],
        "scale_factor": 2,
        "regression_range": [list(pair) for pair in DEFAULT_RANGES],
        "n_head": 4,
        "n_mha_win_size": -1,
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
        "use_rel_pe": False,
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
_TOP = {
    "dataset_name": "epic",
    "train_split": ["training"],
    "val_split": ["validation"],
    "model_name": "LocPointTransformer",
    "init_rand_seed": 1234567891,
    "devices": ["cuda:0"],
    "output_folder": None,
}
# Numbers that may be a list instead: one a source of features, or one a resolution.
_LISTS = ("input_dim", "embd_dim", "n_mha_win_size")
# The preset with the tIoU thresholds that the published code evaluates a data set at.
_EVALUATED_AS = {
    "thumos": "thumos14_i3d",
    "anet": "activitynet_tsp",
    "epic": "epic100_verb",
    "ego4d": "ego4d_slowfast",
}
# Settings of which only these values are understood.
_ONLY = {
    ("dataset", "downsample_rate"): (1,),
    ("model", "scale_factor"): (2,),
    ("model", "fpn_start_level"): (0,),
    ("model", "backbone_type"): ("convTransformer", "conv"),
    ("model", "fpn_type"): ("identity", "fpn"),
    ("train_cfg", "center_sample"): ("radius", "none"),
    ("test_cfg", "nms_method"): ("soft", "hard", "none"),
    ("opt", "type"): ("AdamW", "Adam"),
    ("opt", "schedule_type"): ("cosine",),
}


def read_published_settings(path: str | Path) -> Config:
    """Our settings for a published YAML file.

    Raises:
        InputError: the file is missing or no YAML, or has a section, key or value that is not known.
    """
    tables = _read_yaml(Path(path))
    published = _with_defaults(tables, str(path))
    try:
        return load_config(Config(), _translate(published))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


class _PlainLoader(yaml.SafeLoader):
    """Values alone: no aliases, of which a few lines make a value of any size, and no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it uses an alias (*): write the value in its place")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        content = super().construct_mapping(node, deep)
        if len(content) != len(node.value):
            raise yaml.YAMLError(f"a key occurs twice in line {node.start_mark.line + 1} or below it")
        return content


def _read_yaml(path: Path) -> Mapping[str, Any]:
    text = read_text(path, what="the configuration", largest=LARGEST_SETTINGS, may_be_empty=True)
    with parsing(path, "YAML"):
        try:
            tables = yaml.load(text, _PlainLoader)
        except (yaml.YAMLError, TypeError) as error:  # a key that is a list
            raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split()):.200}") from error
    if not isinstance(tables, Mapping):
        raise InputError(f"{path}: expected the sections {', '.join(_DEFAULTS)}, found {type(tables).__name__}")
    return tables


def _with_defaults(tables: Mapping[str, Any], source: str) -> dict[str, Any]:
    result: dict[str, Any] = dict(_TOP)
    for key, value in tables.items():
        if key not in _TOP and key not in _DEFAULTS:
            raise InputError(f"{source}: unknown key {key}{nearest(str(key), [*_TOP, *_DEFAULTS])}")
        result[key] = value
    for section, defaults in _DEFAULTS.items():
        given = result.get(section) or {}
        if not isinstance(given, Mapping):
            raise InputError(f"{source}: section {section} must hold keys and values, found {given!r}")
        result[section] = dict(defaults)
        for key, value in given.items():
            if key not in defaults:
                raise InputError(f"{source}: unknown key {section}.{key}{nearest(str(key), list(defaults))}")
            result[section][key] = _checked(key, value, defaults[key], f"{source}: {section}.{key}")
    for (section, key), allowed in _ONLY.items():
        if result[section][key] not in allowed:
            expected = " or ".join(map(repr, allowed))
            raise InputError(f"{source}: {section}.{key} is {result[section][key]!r}, only {expected} is known")
    return result


def _checked(key: str, value: Any, default: Any, where: str) -> Any:
    """A value of the same kind as its default."""
    if default is None:
        return value  # a setting of ours checks it, or none needs it
    kind = type(default)
    if kind in (int, float):
        if isinstance(value, str):
            value = _number(value)
        fits = all(map(_is_number, value)) if key in _LISTS and isinstance(value, list) else _is_number(value)
    elif key == "backbone_arch":
        fits = isinstance(value, list) and len(value) == 3 and all(map(_is_number, value))
    else:
        fits = isinstance(value, kind)
    if not fits:
        raise InputError(f"{where} is {value!r}, expected something like {default!r}")
    return value


def _number(text: str) -> float | str:
    """YAML 1.1 takes a number without a point, such as 1e-4, for text."""
    try:
        return float(text)
    except ValueError:
        return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _translate(published: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "data": _data(published),
        "model": _model(published),
        "training": _training(published),
        "decoding": _decoding(published["test_cfg"]),
        "suppression": _suppression(published["test_cfg"]),
        "evaluation": _evaluation(published["dataset_name"]),
    }


def _data(published: Mapping[str, Any]) -> dict[str, Any]:
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


def _model(published: Mapping[str, Any]) -> dict[str, Any]:
    dataset, model, train = published["dataset"], published["model"], published["train_cfg"]
    widths = model["embd_dim"]
    listed = isinstance(widths, list | tuple)
    arch = model["backbone_arch"]
    width = sum(widths) if listed else widths
    transformer = model["backbone_type"] == "convTransformer"
    return {
        "input_dim": dataset["input_dim"],
        "num_classes": dataset["num_classes"],
        "projection": widths if listed else None,
        "block": "transformer" if transformer else "convolution",
        "width": width,
        "neck": model["fpn_type"],
        "neck_width": model["fpn_dim"],
        "head_width": model["head_dim"],
        "num_heads": model["n_head"],
        "window": model["n_mha_win_size"],
        "embedding_layers": arch[0],
        "stem_blocks": arch[1],
        "branch_blocks": arch[2],
        "embedding_kernel": model["embd_kernel_size"],
        "head_kernel": model["head_kernel_size"],
        "head_layers": model["head_num_layers"],
        "embedding_norm": model["embd_with_ln"],
        "neck_norm": model["fpn_with_ln"],
        "head_norm": model["head_with_ln"],
        "position": "sinusoidal" if model["use_abs_pe"] and transformer else "none",
        "relative_position": model["use_rel_pe"],
        "max_length": dataset["max_seq_len"],
        "mask_padding": "published",
        "offsets": "relu",
        "dropout": train["dropout"],
        "drop_path": train["droppath"],
        "class_prior": train["cls_prior_prob"],
        "regression_ranges": model["regression_range"],
    }


def _training(published: Mapping[str, Any]) -> dict[str, Any]:
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


def _decoding(test: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "min_probability": test["pre_nms_thresh"],
        "top_k": test["pre_nms_topk"],
        "cap_per": "video",
        "min_length": test["duration_thresh"],
    }


def _suppression(test: Mapping[str, Any]) -> dict[str, Any]:
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
