"""TriDet's configurations and names of weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from actionformer.core.errors import InputError
from actionformer.detectors.tridet.settings import TriDetSettings
from actionformer.interop.published_settings import read_configuration, read_published_settings
from actionformer.interop.tridet import TRIDET

# configs/thumos_i3d.yaml and configs/hacs_slowfast.yaml of the published code, what they give of the network
THUMOS14: dict[str, Any] = {
    "dataset_name": "thumos",
    "dataset": {"num_classes": 20, "input_dim": 2048, "feat_stride": 4, "num_frames": 16, "max_seq_len": 2304},
    "model": {"n_sgp_win_size": 1, "num_bins": 16, "k": 5, "iou_weight_power": 0.2, "use_trident_head": True,
              "sgp_mlp_dim": 768, "input_noise": 0.0005},
}  # fmt: skip
HACS: dict[str, Any] = {
    "dataset_name": "hacs",
    "dataset": {"num_classes": 200, "input_dim": 2304, "default_fps": 15, "max_seq_len": 960,
                "backbone_type": "slowfast"},
    "model": {"n_sgp_win_size": 3, "embd_dim": 1024, "sgp_mlp_dim": 1024, "fpn_dim": 1024, "head_dim": 1024,
              "head_kernel_size": 5, "boudary_kernel_size": 1, "use_abs_pe": True, "num_bins": 14, "k": 1.2,
              "iou_weight_power": 1, "input_noise": 0.2, "init_conv_vars": 0.1},
    "opt": {"eta_min": 0.0005},
}  # fmt: skip


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def written(tables: dict[str, Any]) -> Path:
        path = tmp_path / "published.yaml"
        path.write_text(yaml.safe_dump(tables), "utf-8")
        return path

    return written


Write = Callable[[dict[str, Any]], Path]


def test_thumos14(write: Write) -> None:
    """The file names neither model nor backbone: its keys tell whose it is."""
    repository, config = read_configuration(write(THUMOS14))
    model = config.model
    assert repository is TRIDET
    assert isinstance(model, TriDetSettings)
    assert (model.window, model.wide_window(1), model.mlp_width, model.init_deviation) == (1, 11, 768, 0.0)
    assert (model.boundary, model.boundary_bins, model.boundary_kernel, model.iou_power) == ("trident", 16, 3, 0.2)
    assert (model.mask_padding, model.downsampling, model.position) == ("published", "max", "none")
    assert (config.data.feature_noise, config.data.crop_margin, config.data.normalize) == (0.0005, 0.0, False)
    assert config.training.lowest_rate == 1e-8
    assert config.suppression.voting_weight == "score"


def test_hacs(write: Write) -> None:
    config = read_published_settings(write(HACS))
    model = config.model
    assert isinstance(model, TriDetSettings)
    assert (model.width, model.head_kernel, model.boundary_kernel, model.init_deviation) == (1024, 5, 1, 0.1)
    assert (model.wide_window(3), model.position) == (5, "sinusoidal")
    assert config.training.lowest_rate == 0.0005
    assert config.evaluation.tiou[0] == 0.5


def test_average_downsampling_and_a_plain_boundary(write: Write) -> None:
    tables = THUMOS14 | {"model": THUMOS14["model"] | {"downsample_type": "avg", "use_trident_head": False}}
    model = read_published_settings(write(tables)).model
    assert isinstance(model, TriDetSettings)
    assert (model.downsampling, model.boundary) == ("average", "plain")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_mha_win_size": 19}, "unknown key model.n_mha_win_size, did you mean 'n_sgp_win_size'"),
        ({"downsample_type": "min"}, "model.downsample_type is 'min', only 'max' or 'avg' is known"),
        ({"backbone_type": "conv"}, "model.backbone_type is 'conv', only 'SGP' is known"),
        ({"n_sgp_win_size": 4}, "window must be odd, found 4"),
        ({"num_bins": "many"}, "model.num_bins is 'many'"),
        ({"backbone_arch": [2, 5]}, r"model.backbone_arch is \[2, 5\]"),
    ],
)
def test_what_is_not_known_is_refused_by_name(write: Write, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_published_settings(write(THUMOS14 | {"model": THUMOS14["model"] | changes}))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("pyramid.stem.0.input_norm.weight", "backbone.stem.0.ln.weight"),
        ("pyramid.stem.1.mlp_norm.bias", "backbone.stem.1.gn.bias"),
        ("pyramid.branch.4.perception.gate.weight", "backbone.branch.4.psi.weight"),
        ("pyramid.branch.4.perception.instant.weight", "backbone.branch.4.fc.weight"),
        ("pyramid.branch.4.perception.pooled.bias", "backbone.branch.4.global_fc.bias"),
        ("pyramid.branch.4.perception.narrow.weight", "backbone.branch.4.convw.weight"),
        ("pyramid.branch.4.perception.wide.weight", "backbone.branch.4.convkw.weight"),
        ("pyramid.branch.2.downsampling.linear.weight", "backbone.branch.2.downsample.1.weight"),
        ("pyramid.branch.2.drop_perception.scale", "backbone.branch.2.drop_path_out.scale"),
        ("pyramid.branch.2.contract.weight", "backbone.branch.2.mlp.2.weight"),
        ("boundary.start.convs.1.weight", "start_head.head.1.conv.weight"),
        ("boundary.end.norms.0.weight", "end_head.norm.0.weight"),
        ("boundary.end.output.bias", "end_head.cls_head.conv.bias"),
    ],
)
def test_names(ours: str, theirs: str) -> None:
    assert TRIDET.published_name(ours) == theirs
