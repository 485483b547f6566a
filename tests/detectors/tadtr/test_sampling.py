"""Where it looks: by hand at first, when places are known."""

import torch

from actionformer.detectors.tadtr.network import Outputs, TadTRNetwork
from actionformer.detectors.tadtr.sampling import SamplingMaps, query_at
from actionformer.detectors.tadtr.settings import TadTRSettings


def test_a_fresh_encoder_looks_one_and_two_steps_ahead() -> None:
    torch.manual_seed(0)
    settings = TadTRSettings(
        input_dim=4, num_classes=2, width=32, mlp_width=32, num_heads=2, num_points=2, num_queries=3,
        encoder_layers=1, decoder_layers=1,
    )  # fmt: skip
    maps = SamplingMaps(TadTRNetwork(settings).eval())
    found = maps.weights(torch.randn(1, 10, 4), None, 0, 3)
    torch.testing.assert_close(
        found, torch.tensor([[0, 0, 0, 0, 0.5, 0.5, 0, 0, 0, 0]]).expand(2, -1), atol=1e-5, rtol=0
    )
    assert maps.weights(torch.randn(1, 10, 4), None, 1, 3).shape == (2, 10)
    assert [name.split(",")[0] for name in maps.names()] == ["encoder 1", "decoder 1"]
    assert maps.places == 2


def test_the_likeliest_query_around_a_feature_answers() -> None:
    """Of 10 steps: queries at 0 to 4, 1 to 3 and 8 to 10; the second is the likeliest of the two around step 2."""
    segments = torch.tensor([[0.2, 0.4], [0.2, 0.2], [0.9, 0.2]])[None, None]
    logits = torch.tensor([[0.0], [1.0], [5.0]])[None, None]
    outputs = Outputs(logits, segments, torch.ones(1, 3), torch.tensor([10.0]))
    assert query_at(outputs, 2) == 1
    assert query_at(outputs, 3) == 0  # the second ends at 3
    assert query_at(outputs, 9) == 2
    assert query_at(outputs, 6) == 2  # around none: the nearest
