import math

import pytest
import torch

from actionformer.detectors.base import architecture_of
from actionformer.nn.ensemble import Ensemble, averaged
from actionformer.nn.outputs import LevelOutputs
from actionformer.settings.config import Config


def outputs(logit: float, offset: float) -> LevelOutputs:
    return LevelOutputs(
        1, 4, torch.full((1, 2, 1), logit), torch.full((1, 2, 2), offset), torch.tensor([[True, False]])
    )


def test_probabilities_and_distances_are_averaged() -> None:
    found = averaged([outputs(math.log(0.9 / 0.1), 1.0), outputs(math.log(0.1 / 0.9), 4.0), outputs(0.0, 1.0)])
    assert found.logits.sigmoid().flatten().tolist() == pytest.approx([0.5, 0.5])
    assert found.offsets.flatten().tolist() == pytest.approx([2.0] * 4)
    assert (found.level, found.first, found.valid.tolist()) == (1, 4, [[True, False]])


def test_what_is_certain_stays_finite() -> None:
    assert averaged([outputs(1000.0, 0.0), outputs(900.0, 0.0)]).logits.max() == pytest.approx(900 + math.log(2))
    assert averaged([outputs(-1000.0, 0.0), outputs(-1000.0, 0.0)]).logits.tolist() == [[[-1000.0]] * 2]


@pytest.mark.parametrize("detector", ["actionformer", "tridet", "temporalmaxer"])
def test_networks_are_one_in_one_pass_and_in_chunks(detector: str, tiny: Config) -> None:
    ranges = tiny.model.model_dump()["regression_ranges"]
    settings = {"detector": detector, "width": 16, "branch_blocks": 2, "regression_ranges": ranges}
    config = Config.model_validate({"model": {**settings, "input_dim": 4, "num_classes": 3, "members": 2}})
    torch.manual_seed(0)
    architecture = architecture_of(config)
    network = architecture.network().eval()
    assert isinstance(network, Ensemble)
    features = torch.randn(1, 96, 4)
    with torch.inference_mode():
        together = list(network(features).parts())
        apart = [list(one(features).parts()) for one in network.networks]
    for level, own in zip(together, zip(*apart, strict=True), strict=True):
        mean = torch.stack([one.logits.sigmoid() for one in own]).mean(0)
        torch.testing.assert_close(level.logits.sigmoid(), mean)
    chunks = architecture.chunks(network)
    assert (chunks is None) == (detector == "tridet")
    if chunks is not None:
        pieces = [*chunks.push(features[0, :50]), *chunks.push(features[0, 50:], last=True)]
        for level in together:
            logits = [piece.logits for piece in pieces if piece.level == level.level]
            torch.testing.assert_close(torch.cat(logits, dim=1), level.logits, rtol=1e-4, atol=1e-5)
    assert [level.stride for level in architecture.levels(network)] == [1, 2, 4]
    assert architecture.attention(network) is None
