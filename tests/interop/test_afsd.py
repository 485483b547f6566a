"""OpenTAD's checkpoints of AFSD."""

from pathlib import Path

import numpy as np
import pytest
import torch

from actionformer import convert
from actionformer.core.errors import InputError
from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.interop.afsd import AFSD
from actionformer.interop.convert import read_published

MODEL = "[model]\ninput_dim = 20\nnum_classes = 5\nwidth = 64\n"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(f'preset = "afsd_thumos14_i3d"\n{MODEL}', "utf-8")
    return path


def test_a_checkpoint_becomes_a_model_that_detects(settings: Path, small: Path, tmp_path: Path) -> None:
    """Of windows of 64 features every 32; classes are told apart from the background."""
    repository, config, weights = read_published(settings, small / "afsd" / "checkpoint.pth")
    assert repository is AFSD
    assert isinstance(config.model, AFSDSettings)
    assert config.model.mask_padding == "published"
    assert not config.data.normalize
    assert len(weights["rpn_head.conf_head.conv1d.classes.weight"]) == 5
    detector = convert(settings, small / "afsd" / "checkpoint.pth", tmp_path / "model")
    assert detector.class_names == tuple(f"class_{i}" for i in range(5))
    features = np.random.default_rng(0).standard_normal((150, 20)).astype(np.float32)
    found = detector.detect(features, fps=24.0)
    assert 0 < len(found) <= 2000
    assert found.segments.max() <= 150 * 12 / 24 + 1


def test_other_classes_and_other_windows_are_refused(settings: Path, small: Path, tmp_path: Path) -> None:
    checkpoint = small / "afsd" / "checkpoint.pth"
    settings.write_text(settings.read_text("utf-8").replace("num_classes = 5", "num_classes = 4"), "utf-8")
    with pytest.raises(InputError, match=r"call for \(4, 3, 64\) numbers in coarse_classes.classes.weight"):
        convert(settings, checkpoint, tmp_path / "model")
    settings.write_text(f'preset = "afsd_thumos14_i3d"\n{MODEL}[data]\nwindow = 50\n', "utf-8")
    with pytest.raises(InputError, match="windows of a multiple of 32 features, found 50"):
        convert(settings, checkpoint, tmp_path / "model")


def test_a_head_that_is_missing_is_named(settings: Path, small: Path, tmp_path: Path) -> None:
    held = torch.load(small / "afsd" / "checkpoint.pth", weights_only=True)
    del held["state_dict"]["module.roi_head.prop_conf_head.conv1d.bias"]
    torch.save(held, tmp_path / "checkpoint.pth")
    with pytest.raises(InputError, match=r"lacks 2 weights .* roi_head\.prop_conf_head\.conv1d\.background\.bias"):
        convert(settings, tmp_path / "checkpoint.pth", tmp_path / "model")
