"""Loaded checkpoints give the published implementation's numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile

from actionformer.detectors.actionformer.network import build_network
from actionformer.interop.published_settings import read_published_settings
from actionformer.interop.published_weights import load_published_weights, read_published_weights
from actionformer.nn.pyramid_network import PyramidNetwork

FIXTURES = ("thumos", "anet", "ablation_conv_fpn")


def load(folder: Path) -> PyramidNetwork:
    settings = read_published_settings(folder / "official_config.yaml")
    model = build_network(settings.model)
    weights = read_published_weights(folder / "epoch_007.pth.tar")
    load_published_weights(model, weights, str(folder))
    return model.eval()


@torch.inference_mode()
def worst_difference(model: PyramidNetwork, arrays: NpzFile, case: int, padded: int) -> float:
    """Largest difference at valid moments over all levels; the masks must be equal."""
    sequence = torch.from_numpy(arrays[f"{case}.features"])
    features = torch.zeros(1, padded, sequence.shape[1])
    features[0, : len(sequence)] = sequence
    outputs = model(features, torch.arange(padded).unsqueeze(0) < len(sequence))
    worst = 0.0
    for level, valid in enumerate(outputs.valid):
        mask = valid[0].numpy()
        np.testing.assert_array_equal(mask, arrays[f"{case}.level{level}.mask"])
        for name in ("pyramid", "logits", "offsets"):
            found = getattr(outputs, name)[level][0].numpy()
            expected = arrays[f"{case}.level{level}.{name}"]
            assert found.shape == expected.shape
            worst = max(worst, float(np.abs(found - expected)[mask].max()))
    return worst


def test_small_model(small: Path) -> None:
    """Needs nothing outside the checkout: 100 features, padded to 576 as published."""
    with np.load(small / "inference.npz") as arrays:
        assert worst_difference(load(small), arrays, case=0, padded=576) < 2e-5


@pytest.mark.parametrize("fixture", FIXTURES)
def test_pyramid_logits_and_offsets(shared: Path, fixture: str) -> None:
    folder = shared / "parity" / fixture
    model = load(folder)
    cases = json.loads((folder / "cases.json").read_text("utf-8"))
    with np.load(folder / "inference.npz") as arrays:
        for case in cases:
            assert worst_difference(model, arrays, case["index"], case["padded"]) < 2e-5, case


def test_another_padding_gives_other_numbers(small: Path) -> None:
    """Or the parity above would not show that padding is as published."""
    model = load(small)
    with np.load(small / "inference.npz") as arrays:
        features = torch.from_numpy(arrays["0.features"]).unsqueeze(0)
        with torch.inference_mode():
            bare = model(features).logits[0][0].numpy()
        mask = arrays["0.level0.mask"]
        assert np.abs(bare - arrays["0.level0.logits"][mask]).max() > 1e-3
