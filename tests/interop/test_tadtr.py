"""TadTR's configurations, without sections, and its checkpoints."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from actionformer import convert
from actionformer.core.errors import InputError
from actionformer.detectors.tadtr.settings import TadTRSettings
from actionformer.interop.convert import read_published
from actionformer.interop.published_settings import read_configuration, read_published_settings
from actionformer.interop.tadtr import TADTR

# configs/thumos14_i3d2s_tadtr.yml of the published code: what it differs in from opts.py
THUMOS14: dict[str, Any] = {
    "enc_layers": 4, "dec_layers": 4, "dim_feedforward": 1024, "num_queries": 40, "dataset_name": "thumos14",
    "feature": "i3d2s", "feature_dim": 2048, "online_slice": True, "slice_len": 128, "slice_overlap": 0.75,
    "test_slice_overlap": 0.25, "output_dir": "outputs/thumos14_i3d2s_tadtr",
}  # fmt: skip


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "published.yml"
    path.write_text(yaml.safe_dump(THUMOS14 | changes), "utf-8")
    return path


def test_thumos14_is_as_the_preset_has_it(tmp_path: Path) -> None:
    from actionformer.settings.loading import load_config

    repository, config = read_configuration(write(tmp_path))
    assert repository is TADTR
    preset = load_config("tadtr_thumos14_i3d").replace(model={"mask_padding": "published", "input_dim": 2048})
    caps = {"decoding": {"cap_per": "length"}, "suppression": {"cap_per": "length"}}
    assert config.replace(data={"crop_ratio": preset.data.crop_ratio}) == preset.replace(**caps)


def test_opts_that_the_file_changes(tmp_path: Path) -> None:
    config = read_published_settings(
        write(tmp_path, online_slice=False, epochs=3, lr_step=[1, 2], lr=0.1, hidden_dim=64, feature="tsn", nms_thr=0.3)
    )
    assert isinstance(config.model, TadTRSettings)
    assert (config.data.window, config.data.resize, config.data.stride) == (None, 128, None)
    assert (config.training.epochs, config.training.drop_epochs, config.training.learning_rate) == (3, (1, 2), 0.1)
    assert (config.model.width, config.suppression.window_tiou) == (64, 0.3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_querys": 40}, "unknown key num_querys, did you mean 'num_queries'"),
        ({"binary": True}, "binary is True, only False is known"),
        ({"nheads": "many"}, "nheads is 'many', expected something like 8"),
        ({"slice_len": None}, "slice_len is missing"),
        ({"epochs": 0}, "training.epochs"),
    ],
)
def test_what_is_not_known_is_refused_by_name(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_published_settings(write(tmp_path, **changes))


def test_a_checkpoint_becomes_a_model_that_detects(small: Path, tmp_path: Path) -> None:
    """Windows of 32 features every 24; the checkpoint tells that there are five classes."""
    detector = convert(small / "tadtr" / "config.yml", small / "tadtr" / "checkpoint.pth", tmp_path / "model")
    assert detector.class_names == tuple(f"class_{i}" for i in range(5))
    features = np.random.default_rng(0).standard_normal((75, 20)).astype(np.float32)
    found = detector.detect(features, fps=24.0)
    assert 0 < len(found) <= 3 * 60
    assert found.segments.max() <= 75 * 8 / 24


def test_a_preset_may_stand_for_the_configuration(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    model = {
        "input_dim": 20, "num_classes": 5, "width": 64, "mlp_width": 80, "num_heads": 4, "num_queries": 12,
        "encoder_layers": 2, "decoder_layers": 3,
    }  # fmt: skip
    lines = "\n".join(f"{key} = {value}" for key, value in model.items())
    file.write_text(f'preset = "tadtr_thumos14_i3d"\n[model]\n{lines}\n', "utf-8")
    repository, config, weights = read_published(file, small / "tadtr" / "checkpoint.pth")
    assert repository is TADTR
    assert isinstance(config.model, TadTRSettings)
    assert config.model.mask_padding == "published"
    assert config.suppression.cap_per == "length"
    assert weights["class_embed.0.weight"].shape == (5, 64)


def test_weights_that_are_there_twice_must_be_equal(small: Path, tmp_path: Path) -> None:
    checkpoint = torch.load(small / "tadtr" / "checkpoint.pth", weights_only=True)
    name = "transformer.decoder.segment_embed.1.layers.0.bias"
    checkpoint["model"][name] = checkpoint["model"][name] + 1
    torch.save(checkpoint, tmp_path / "checkpoint.pth")
    with pytest.raises(InputError, match=r"equal numbers as segment_embed\.1\.layers\.0\.bias"):
        convert(small / "tadtr" / "config.yml", tmp_path / "checkpoint.pth", tmp_path / "model")
