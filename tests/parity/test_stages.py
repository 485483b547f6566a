"""Loaded checkpoints give the published implementation's numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from published import FOLDERS, cases, differences, load


def test_small_model(small: Path) -> None:
    """Needs nothing outside the checkout: 100 features, padded to 576 as published."""
    with np.load(small / "inference.npz") as arrays:
        found = differences(load(small).network.eval(), arrays, case=0, padded=576)
    assert found.keys() == {"pyramid", "logits", "offsets"}
    assert max(found.values()) < 2e-5


STAGES = {
    "thumos": {"pyramid", "logits", "offsets"},
    "family/tridet/thumos": {"pyramid", "fpn", "logits", "start_logits", "end_logits", "bins", "distances"},
    "family/tridet/plain_head": {"pyramid", "fpn", "logits", "offsets"},
    "family/temporalmaxer/thumos": {"pyramid", "fpn", "logits", "offsets"},
    "family/temporalmaxer/epic": {"pyramid", "fpn", "logits", "offsets"},
}


@pytest.mark.parametrize("fixture", FOLDERS)
def test_every_stage(shared: Path, fixture: str) -> None:
    folder = shared / "parity" / fixture
    network = load(folder).network.eval()
    with np.load(folder / "inference.npz") as arrays:
        for case in cases(folder):
            found = differences(network, arrays, case.number, case.padded)
            assert max(found.values()) < 2e-5, (case, found)
            assert found.keys() == STAGES.get(fixture, found.keys())


@pytest.mark.parametrize("fixture", [name for name in FOLDERS if "family" in name])
def test_the_embedding_and_how_far_it_is_padded(shared: Path, fixture: str) -> None:
    folder = shared / "parity" / fixture
    _, architecture, network = load(folder)
    network.eval()
    with np.load(folder / "inference.npz") as arrays, torch.inference_mode():
        for case in cases(folder):
            features = torch.from_numpy(arrays[f"{case.number}.features"])
            assert architecture.padded_length(len(features)) == case.padded
            valid = torch.arange(case.padded)[None] < len(features)
            padded = torch.cat((features, torch.zeros(case.padded - len(features), features.shape[1])))
            embedded = network.embed(padded[None], valid)[0].numpy()
            np.testing.assert_allclose(embedded, arrays[f"{case.number}.embedding"], rtol=0, atol=2e-5)


def test_another_padding_gives_other_numbers(small: Path) -> None:
    """Or the parity above would not show that padding is as published."""
    network = load(small).network.eval()
    with np.load(small / "inference.npz") as arrays:
        features = torch.from_numpy(arrays["0.features"]).unsqueeze(0)
        with torch.inference_mode():
            bare = network(features).logits[0][0].numpy()
        mask = arrays["0.level0.mask"]
        assert np.abs(bare - arrays["0.level0.logits"][mask]).max() > 1e-3
