"""TadTR's network: what padding changes, how it begins, which weights learn slowly."""

from typing import Any

import pytest
import torch

from actionformer.core.errors import InputError
from actionformer.detectors.tadtr.architecture import TadTR
from actionformer.detectors.tadtr.network import TadTRNetwork, logit
from actionformer.detectors.tadtr.settings import TadTRSettings
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.weight_rules import WeightRule
from actionformer.settings.config import Config

SMALL: dict[str, Any] = {
    "input_dim": 6, "num_classes": 3, "width": 32, "mlp_width": 48, "num_heads": 2, "num_queries": 5,
    "encoder_layers": 2, "decoder_layers": 2, "roi_bins": 4,
}  # fmt: skip


def network(**changes: Any) -> TadTRNetwork:
    torch.manual_seed(0)
    return TadTRNetwork(TadTRSettings(**SMALL | changes))


def lively(**changes: Any) -> TadTRNetwork:
    """One whose every part matters: at first no segment moves and all heads look at the same places."""
    model = network(**changes).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@torch.no_grad()
def test_a_sequence_has_one_result_whatever_it_is_padded_to() -> None:
    model, features = lively(), torch.randn(1, 21, 6)
    alone = model(features)
    padded = torch.cat((features, torch.randn(1, 11, 6)), dim=1)
    beside = torch.cat((padded, torch.randn(1, 32, 6)))
    valid = torch.arange(32) < torch.tensor([[21], [32]])
    together = model(beside, valid)
    for name in ("logits", "segments"):
        torch.testing.assert_close(getattr(together, name)[:, :1], getattr(alone, name), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.actionness[:1], alone.actionness, atol=1e-5, rtol=1e-5)
    assert together.spans.tolist() == [21, 32]


@torch.no_grad()
def test_published_padding_counts() -> None:
    model, features = lively(mask_padding="published"), torch.randn(1, 32, 6)
    valid = torch.arange(32)[None] < 21
    assert model(features, valid).spans.tolist() == [32]
    assert (model(features, valid).logits - model(features[:, :21]).logits).abs().max() > 1e-3


@torch.no_grad()
def test_it_begins_with_rare_classes_and_segments_that_no_layer_moves() -> None:
    outputs = network(class_prior=0.02).eval()(torch.randn(2, 16, 6))
    assert outputs.logits.sigmoid().mean().item() == pytest.approx(0.02, abs=0.02)
    torch.testing.assert_close(outputs.segments[0], outputs.segments[1])
    torch.testing.assert_close(outputs.segments[..., 1], torch.tensor(-2.0).sigmoid().expand(2, 2, 5))


def test_every_weight_decays_and_those_that_say_where_to_look_learn_slowly() -> None:
    model, architecture = network(), TadTR(Config(model=TadTRSettings(**SMALL)))
    rules = {name: architecture.weight_rule(name, weight) for name, weight in model.named_parameters()}
    assert all(rule.decay_factor == 1 for rule in rules.values())
    slow = {name for name, rule in rules.items() if rule == WeightRule(rate_factor=0.1)}
    assert slow == {name for name in rules if "offsets" in name or "first_point" in name}
    assert len(slow) == 2 * (2 + 2) + 2


def test_only_the_first_point_is_learned_by_the_first_layer() -> None:
    """Segments are refined, but no gradient goes from one layer to the segments of the one before."""
    model = lively()
    outputs = model(torch.randn(1, 16, 6))
    outputs.segments[1].sum().backward(retain_graph=True)
    point = model.first_point.weight
    through_places = None if point.grad is None else point.grad.clone()
    model.zero_grad()
    outputs.segments[0].sum().backward()
    assert point.grad is not None
    assert point.grad.abs().sum() > 0
    assert through_places is not None  # the first layer looks around the point


def test_logits_of_shares_are_finite() -> None:
    found = logit(torch.tensor([0.0, 0.5, 1.0]))
    assert found[1] == 0
    assert found[0] == -found[2] < -11


def test_a_perfect_network_says_each_action_once() -> None:
    architecture = TadTR(Config(model=TadTRSettings(**SMALL)))
    actions = torch.tensor([[2.0, 7.0], [9.5, 11.0]])
    truth = GroundTruth(
        [actions, actions[:0]], [torch.tensor([2, 0]), torch.tensor([], dtype=torch.int64)], [20, 9], 20
    )
    decoder = architecture.decoder()
    for part in architecture.parts(architecture.perfect(truth)):
        decoder.add(part)
    found, nothing = decoder.candidates()
    torch.testing.assert_close(found.segments, actions.double(), atol=1e-5, rtol=0)
    assert found.labels.tolist() == [2, 0]
    assert len(nothing.scores) == 0
    assert decoder.overflown() == [False, False]


def test_settings_that_cannot_be() -> None:
    for changes, message in (
        ({"width": 48}, "width must be a multiple of 32 and of num_heads, found 48"),
        ({"width": 64, "num_heads": 3}, "width must be a multiple of 32 and of num_heads, found 64"),
        ({"input_dim": [4, -1]}, "input_dim counts channels"),
        ({"width": 16384, "mlp_width": 16384}, "weights, at most"),
    ):
        with pytest.raises(InputError, match=message):
            Config().replace(model={"detector": "tadtr"} | changes)
