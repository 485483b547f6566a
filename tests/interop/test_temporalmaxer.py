"""TemporalMaxer's published configurations and checkpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from commands import Command, Refused
from published import published_weights

from actionformer import build, load
from actionformer.core.errors import InputError
from actionformer.interop.published_settings import read_published_settings
from actionformer.interop.temporalmaxer import TEMPORALMAXER
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.settings.loading import load_config

Write = Callable[..., Path]

# What the published file for MultiTHUMOS sets.
MULTITHUMOS: dict[str, Any] = {
    "model_name": "TemporalMaxerArchitecture",
    "dataset_name": "multithumos",
    "train_split": ["training"],
    "val_split": ["testing"],
    "dataset": {
        "num_classes": 65,
        "input_dim": 1024,
        "feat_stride": 4,
        "num_frames": 16,
        "trunc_thresh": 0.5,
        "crop_ratio": [0.9, 1.0],
        "max_seq_len": 2304,
    },
    "model": {
        "backbone_type": "convPooler",
        "backbone_arch": [3, 5],
        "fpn_type": "identity",
        "fpn_norm": "layernorm",
        "max_buffer_len_factor": 6.0,
        "assigner": {
            "iou_weight": 2,
            "cls_weight": 1.0,
            "center_radius": 1.5,
            "keep_percent": 1.0,
            "confuse_weight": 0.0,
        },
    },
    "opt": {"learning_rate": 0.0001, "epochs": 60, "weight_decay": 0.05},
    "loader": {"batch_size": 2},
    "train_cfg": {
        "init_loss_norm": 100,
        "clip_grad_l2norm": 1.0,
        "cls_prior_prob": 0.01,
        "center_sample": "none",
    },
    "test_cfg": {
        "voting_thresh": 0.7,
        "pre_nms_topk": 3000,
        "max_seg_num": 300,
        "min_score": 0.001,
        "multiclass_nms": True,
    },
}


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Writes a published configuration, with some keys of some sections changed; None removes one."""

    def write(**changes: dict[str, Any]) -> Path:
        tables = dict(MULTITHUMOS)
        for section, values in changes.items():
            both = tables[section] | values
            tables[section] = {key: value for key, value in both.items() if value is not None}
        path = tmp_path / "published.yaml"
        path.write_text(yaml.safe_dump(tables), "utf-8")
        return path

    return write


def test_a_published_file_and_our_preset_say_the_same(written: Write) -> None:
    published = read_published_settings(written())
    preset = load_config("temporalmaxer_multithumos_i3d", {"model": {"input_dim": 1024, "num_classes": 65}})
    for section in ("data", "model", "training", "decoding", "suppression", "evaluation"):
        one, other = (getattr(config, section).model_dump() for config in (published, preset))
        differ = {name for name in one if one[name] != other[name]}
        assert differ == {
            "data": {"normalize"},
            "model": {"mask_padding", "offsets", "offset_target", "neck_width", "head_width"},
            "training": {"average_warmup"},
            "decoding": {"cap_per"},
            "suppression": {"cap_per", "voting_threshold"},
        }.get(section, set()), section


def test_the_assigner_has_the_radius_and_center_sample_means_nothing(written: Write) -> None:
    assigner = MULTITHUMOS["model"]["assigner"] | {"center_radius": 2.5}
    for said in ("none", "radius"):
        changes = {"model": {"assigner": assigner}, "train_cfg": {"center_sample": said, "center_sample_radius": 9}}
        training = read_published_settings(written(**changes)).training
        assert (training.center_sampling, training.center_radius) == (True, 2.5)
    assert read_published_settings(written(model={"assigner": None})).training.center_radius == 1.5


def test_groupnorm_is_what_a_file_means_that_names_no_norm(written: Write) -> None:
    settings = read_published_settings(written(model={"fpn_norm": None})).model
    assert settings.model_dump()["level_norm"] == "groupnorm"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"assigner": {"keep_percent": 0.5}}, r"model.assigner.keep_percent is 0.5, only 1.0 is known"),
        ({"assigner": {"center_radus": 1}}, r"unknown key model.assigner.center_radus, did you mean 'center_radius'"),
        ({"assigner": 3}, r"model.assigner is 3, expected something like"),
        ({"fpn_norm": "batchnorm"}, r"model.fpn_norm is 'batchnorm', only 'groupnorm' or 'layernorm' is known"),
        ({"n_head": 4}, r"unknown key model.n_head"),
    ],
)
def test_what_is_not_known_is_refused_by_name(written: Write, model: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_published_settings(written(model=model))


def checkpoint(path: Path, **changes: torch.Tensor) -> Path:
    """A checkpoint of a small network, with every name that published ones have."""
    torch.manual_seed(0)
    model = {"detector": "temporalmaxer", "input_dim": 8, "num_classes": 65, "width": 16, "embedding_layers": 3}
    network = build(load_config("temporalmaxer_small", {"model": model})).model
    assert isinstance(network, PyramidNetwork)
    weights = published_weights(network, TEMPORALMAXER)
    for level in range(1, 6):
        for name in ("weight", "bias"):
            weights[f"neck.fpn_norms.{level}.{name}"] = weights[f"neck.fpn_norms.0.{name}"]
    content = {f"module.{name}": tensor for name, tensor in (weights | changes).items()}
    torch.save({"epoch": 7, "state_dict": content, "state_dict_ema": content}, path)
    return path


SMALL = {"model": {"embd_dim": 16, "fpn_dim": 16, "head_dim": 16}, "dataset": {"input_dim": 8}}


def test_convert_and_detect(written: Write, tmp_path: Path, call: Command) -> None:
    weights = checkpoint(tmp_path / "epoch.pth.tar")
    converted = call("convert", written(**SMALL), weights, tmp_path / "model")
    assert converted.code == 0, converted.err
    detector = load(tmp_path / "model")
    assert detector.config.model.detector == "temporalmaxer"
    np.save(tmp_path / "video.npy", np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32))
    found = call("detect", tmp_path / "model", tmp_path / "video.npy", "--fps", 30, "--min-score", 0.01)
    assert found.code == 0, found.err
    assert found.out.count("class_") > 3


def test_a_shared_norm_with_two_values_is_refused(written: Write, tmp_path: Path, refused: Refused) -> None:
    other = {"neck.fpn_norms.3.weight": torch.full((1, 16, 1), 2.0)}
    weights = checkpoint(tmp_path / "epoch.pth.tar", **other)
    error = refused("convert", written(**SMALL), weights, tmp_path / "model")
    assert "neck.fpn_norms.0.weight and neck.fpn_norms.3.weight, which are one weight" in str(error)
