import math

import pytest
import torch
from torch import nn
from variants import actionformer_settings

from actionformer.core.errors import InputError
from actionformer.detectors.actionformer.network import build_network
from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.nn.attention import Attention
from actionformer.nn.layers import Conv, Linear, ScaledDropPath
from actionformer.settings.loading import load_config

TINY = {"input_dim": 6, "num_classes": 3, "width": 16, "num_heads": 2, "window": 5}


def tiny(**changes: object) -> ActionFormerSettings:
    return ActionFormerSettings(**(TINY | changes))


def test_the_thumos14_shape_has_29_25_million_parameters() -> None:
    settings = actionformer_settings(load_config("thumos14_i3d", {"model": {"input_dim": 2048, "num_classes": 20}}))
    with torch.device("meta"):
        model = build_network(settings)
    assert round(sum(parameter.numel() for parameter in model.parameters()) / 1e6, 2) == 29.25


@pytest.mark.parametrize("block", ["transformer", "convolution"])
@pytest.mark.parametrize("neck", ["identity", "fpn"])
def test_fresh_weights(block: str, neck: str) -> None:
    model = build_network(tiny(block=block, neck=neck, class_prior=0.01, neck_norm=False))
    for module in model.modules():
        if isinstance(module, Conv | Linear) and module is not model.classifier.output:
            assert module.bias is None or not module.bias.any()
        if isinstance(module, nn.LayerNorm):
            assert (module.weight == 1).all()
            assert not module.bias.any()
            assert module.eps == 1e-5
    assert [scale.item() for scale in model.offset_activation.scales] == [1.0] * 6
    torch.testing.assert_close(model.classifier.output.bias.sigmoid(), torch.full((3,), 0.01))


def test_classes_without_training_actions_get_their_own_prior() -> None:
    model = build_network(tiny())
    model.set_class_prior(1e-6, [0, 2])
    expected = [-math.log((1 - p) / p) for p in (1e-6, 0.01, 1e-6)]
    assert model.classifier.output.bias.tolist() == pytest.approx(expected)


def test_a_convolution_before_a_norm_has_no_bias() -> None:
    normed = build_network(tiny())
    plain = build_network(tiny(embedding_norm=False, head_norm=False))
    for model, biased in ((normed, False), (plain, True)):
        convs = [*model.embedding.convs, *model.classifier.convs, *model.regressor.convs]
        assert all((conv.bias is not None) == biased for conv in convs)
    assert not plain.embedding.norms
    assert not plain.classifier.norms


def test_drop_path_of_zero_has_no_scales() -> None:
    def scales(rate: float) -> int:
        model = build_network(tiny(drop_path=rate))
        return sum(isinstance(module, ScaledDropPath) for module in model.modules())

    assert scales(0.0) == 0
    assert scales(0.1) == 2 * 7


def test_each_resolution_has_its_own_window() -> None:
    model = build_network(tiny(window=(3, 5, 7, 9, 0, 1), relative_position=True))
    attentions = [module for module in model.modules() if isinstance(module, Attention)]
    assert [module.window for module in attentions] == [3, 3, 5, 7, 9, 0, 1]
    assert [module.stride for module in attentions] == [1, 1, 2, 2, 2, 2, 2]
    assert [module.relative_bias is not None for module in attentions] == [True] * 5 + [False] * 2


def test_every_stem_block_may_be_a_level() -> None:
    ranges = tuple((0, 10 + level) for level in range(7))
    settings = tiny(stem_levels=True, regression_ranges=ranges)
    assert settings.strides == (1, 1, 2, 4, 8, 16, 32)
    assert settings.level_windows == (5,) * 7
    outputs = build_network(settings)(torch.randn(1, 40, 6))
    assert [logits.shape[1] for logits in outputs.logits] == [40, 40, 20, 10, 5, 3, 2]


@pytest.mark.parametrize("length", [1, 2, 31, 33, 64])
def test_a_level_has_length_over_stride_moments_rounded_up(length: int) -> None:
    settings = tiny(neck="fpn", neck_width=12)
    outputs = build_network(settings)(torch.randn(2, length, 6))
    for level, stride in enumerate(settings.strides):
        moments = -(-length // stride)
        assert outputs.logits[level].shape == (2, moments, 3)
        assert outputs.offsets[level].shape == (2, moments, 2)
        assert outputs.valid[level].shape == (2, moments)
        assert outputs.pyramid[level].shape == (2, moments, 16)


@pytest.mark.parametrize("missing", ["input_dim", "num_classes"])
def test_what_must_come_from_the_data_is_asked_for(missing: str) -> None:
    with pytest.raises(InputError, match=f"model.{missing} is not set"):
        build_network(tiny(**{missing: None}))


def test_the_same_seed_gives_the_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(build_network(tiny()).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
