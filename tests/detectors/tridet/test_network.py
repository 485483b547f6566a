"""TriDet's network against a plain one, for what no stored case holds, and what is known of its initialisation."""

from typing import Any

import pytest
import torch
from plain import PlainTriDet
from published import published_weights
from torch import nn

from actionformer.core.errors import InputError
from actionformer.detectors.tridet.architecture import TriDet
from actionformer.detectors.tridet.network import Perception, build_network
from actionformer.detectors.tridet.settings import TriDetSettings
from actionformer.interop.tridet import TRIDET
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.chunks import lookahead
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.settings.config import Config

RANGES = ((0, 4), (2, 8), (4, 16), (8, 1000))
SMALL: dict[str, Any] = {
    "input_dim": 7,
    "num_classes": 3,
    "width": 32,
    "mlp_width": 40,
    "branch_blocks": 3,
    "regression_ranges": RANGES,
    "max_length": 48,
    "boundary_bins": 6,
    "init_deviation": 0.4,
    "mask_padding": "published",
    "offsets": "relu",
}
VARIANTS: dict[str, dict[str, Any]] = {
    "fpn, average": {
        "neck": "fpn",
        "downsampling": "average",
        "head_kernel": 5,
        "boundary_kernel": 1,
        "window": 3,
        "window_factor": 1.2,
        "head_width": 48,
    },
    "fpn, no norms": {"neck": "fpn", "neck_width": 24, "neck_norm": False, "head_norm": False, "window": 5},
    "plain boundary": {"boundary": "plain", "window": 15, "window_factor": 1.3, "drop_path": 0.0},
    "positions": {"position": "sinusoidal", "window": 1, "window_factor": 5.0, "stem_blocks": 1},
}


def network(**changes: Any) -> PyramidNetwork:
    torch.manual_seed(0)
    return build_network(TriDetSettings(**(SMALL | changes)))


def lively(**changes: Any) -> PyramidNetwork:
    """One whose every part matters: the first scales of 1e-4 hide what blocks do."""
    model = network(**changes).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "drop_" in name:
                parameter.fill_(1)
            if parameter.dim() < 2:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("length", [48, 96])
@torch.no_grad()
def test_a_plain_network_says_the_same(variant: str, length: int) -> None:
    """Sequences padded to max_length, and longer ones, two of other lengths in a batch."""
    model, settings = lively(**VARIANTS[variant]), TriDetSettings(**(SMALL | VARIANTS[variant]))
    valid = torch.arange(length) < torch.tensor([[length - 9], [length // 3]])
    features = torch.randn(2, length, 7) * valid[..., None]
    found = model(features, valid)
    logits, distances, levels = PlainTriDet(published_weights(model, TRIDET), settings)(
        features.mT, valid[:, None].float()
    )
    for level in range(len(levels)):
        torch.testing.assert_close(found.logits[level], logits[level].mT, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(found.pyramid[level], levels[level].mT, atol=2e-5, rtol=1e-5)
        expected = distances[level].transpose(1, -1)  # (B, T, K, 2), or (B, T, 2)
        torch.testing.assert_close(found.offsets[level], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("window", "factor", "wide"), [(1, 5, 11), (15, 1.3, 21), (5, 2, 13), (3, 1.2, 5), (1, 4, 9), (1, 1.25, 3)]
)
def test_the_wide_window_is_odd(window: int, factor: float, wide: int) -> None:
    """2.5 rounds to 2, which is even, and so to 3."""
    assert TriDetSettings(window=window, window_factor=factor).wide_window(window) == wide


def test_settings_that_cannot_be() -> None:
    for changes, message in (
        ({"width": 40}, "width must be a multiple of 16, found 40"),
        ({"window": 4}, "window must be odd, found 4"),
        ({"window": 8191, "window_factor": 2.0}, "window_factor must be at most 8191"),
    ):
        with pytest.raises(InputError, match=message):
            Config().replace(model={"detector": "tridet"} | changes)


def test_it_sees_a_sequence_as_a_whole() -> None:
    config = Config(model=TriDetSettings(**SMALL))
    architecture, model = TriDet(config), lively()
    assert lookahead(model) is None
    assert architecture.chunks(model) is None
    assert architecture.attention(model) is None
    assert [level.stride for level in architecture.levels(model)] == [1, 2, 4, 8]
    assert {level.lookahead for level in architecture.levels(model)} == {None}


def test_fresh_weights() -> None:
    model = network(init_deviation=0.3, class_prior=0.01)
    weights = torch.cat([p.flatten() for n, p in model.named_parameters() if "perception" in n and "weight" in n])
    assert weights.std().item() == pytest.approx(0.3, rel=0.05)
    assert not any(p.any() for n, p in model.named_parameters() if "perception" in n and "bias" in n)
    assert model.boundary is not None
    for head in (model.classifier, model.boundary.start, model.boundary.end):
        assert head.output.bias is not None
        torch.testing.assert_close(head.output.bias.sigmoid(), torch.full((3,), 0.01))
    assert not any("drop" in name for name, _ in model.pyramid.stem.named_parameters())


@pytest.mark.parametrize("deviation", [0.0, 0.1])
def test_convolutions_that_begin_at_zero_never_learn(deviation: float) -> None:
    """As in the released THUMOS14 and EPIC models: every gradient is a product with a 0."""
    model = network(init_deviation=deviation, mask_padding="exact")
    config = Config(model=TriDetSettings(**SMALL))
    truth = GroundTruth([torch.tensor([[3.0, 11.0], [20.0, 27.0]])], [torch.tensor([0, 2])], [40], 40)
    (loss,) = TriDet(config).criterion().losses([truth], torch.device("cpu"))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    features = torch.randn(1, 40, 7)
    for _ in range(5):
        optimizer.zero_grad()
        torch.stack(list(loss(model(features)).values())).sum().backward()
        optimizer.step()
    blocks = [module for module in model.modules() if isinstance(module, Perception)]
    convolutions = [parameter for block in blocks for parameter in block.parameters()]
    gradients = [parameter.grad for parameter in convolutions if parameter.grad is not None]
    assert any(gradient.any() for gradient in gradients) is (deviation > 0)
    assert any(parameter.any() for parameter in convolutions) is (deviation > 0)


def test_stem_blocks_are_never_dropped() -> None:
    model = network(drop_path=0.5)
    names = [name for name, module in model.pyramid.named_modules() if isinstance(module, nn.Identity)]
    assert names
    assert all(name.startswith("stem") for name in names)
