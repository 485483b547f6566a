"""The authors' THUMOS14 model on a video file, at full size, by the commands of docs/video.md; weights are random."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
import yaml
from published import published_weights

from actionformer import build, load_config
from actionformer.backbones.i3d import InflatedInception
from actionformer.features import read_sidecar
from actionformer.formats.detections import read_results
from actionformer.interop.actionformer import ACTIONFORMER
from actionformer.nn.pyramid_network import PyramidNetwork

# configs/thumos_i3d.yaml of the published code, what it gives
THUMOS14: dict[str, Any] = {
    "dataset_name": "thumos",
    "train_split": ["validation"],
    "val_split": ["test"],
    "dataset": {
        "json_file": "./data/thumos/annotations/thumos14.json",
        "feat_folder": "./data/thumos/i3d_features",
        "file_prefix": None,
        "file_ext": ".npy",
        "num_classes": 20,
        "input_dim": 2048,
        "feat_stride": 4,
        "num_frames": 16,
        "trunc_thresh": 0.5,
        "crop_ratio": [0.9, 1.0],
        "max_seq_len": 2304,
    },
    "model": {"fpn_type": "identity", "max_buffer_len_factor": 6.0, "n_mha_win_size": 19},
    "opt": {"learning_rate": 0.0001, "epochs": 30, "weight_decay": 0.05},
    "loader": {"batch_size": 2},
    "train_cfg": {
        "init_loss_norm": 100,
        "clip_grad_l2norm": 1.0,
        "cls_prior_prob": 0.01,
        "center_sample": "radius",
        "center_sample_radius": 1.5,
    },
    "test_cfg": {
        "voting_thresh": 0.7,
        "pre_nms_topk": 2000,
        "max_seg_num": 200,
        "min_score": 0.001,
        "multiclass_nms": True,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "frames"), [("i3d", 20), ("i3d_dis", 40)])
def test_two_commands(tmp_path: Path, backbone: str, frames: int) -> None:
    torch.manual_seed(0)
    (tmp_path / "thumos_i3d.yaml").write_text(yaml.safe_dump(THUMOS14), "utf-8")
    settings = load_config("thumos14_i3d", {"model": {"input_dim": 2048, "num_classes": 20, "offsets": "relu"}})
    network = build(settings).model
    assert isinstance(network, PyramidNetwork)
    weights = {f"module.{name}": tensor for name, tensor in published_weights(network, ACTIONFORMER).items()}
    torch.save({"epoch": 34, "state_dict": weights, "state_dict_ema": weights}, tmp_path / "epoch_034.pth.tar")
    for name, channels in (("rgb_imagenet.pt", 3), ("flow_imagenet.pt", 2)):
        state = InflatedInception(in_channels=channels).state_dict()
        torch.save({k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}, tmp_path / name)
    with av.open(str(tmp_path / "any.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=30)
        stream.height, stream.width, stream.pix_fmt = 180, 320, "yuv420p"
        for image in np.random.default_rng(0).integers(0, 256, (frames, 180, 320, 3), dtype=np.uint8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())

    def command(*arguments: object) -> None:
        program = Path(sys.executable).with_name("actionformer")
        subprocess.run([program, *map(str, arguments)], cwd=tmp_path, check=True)

    command("convert", "thumos_i3d.yaml", "epoch_034.pth.tar", "models/thumos14")
    command("detect", "models/thumos14", "any.mp4", "--backbone", backbone, "--weights", ".",
            "--features-out", "features", "--out", "any.json")  # fmt: skip
    features = np.load(tmp_path / "features" / "any.npy")
    assert features.shape == ((frames - 16) // 4 + 1, 2048)
    sidecar = read_sidecar(tmp_path / "features" / "any.npy")
    assert (sidecar.backbone, sidecar.fps, sidecar.stride, sidecar.num_frames) == (backbone, 30, 4, 16)
    found = read_results(tmp_path / "any.json")["any"]
    assert len(found) > 0
    assert found.segments.max() <= frames / 30 + 1e-6
