"""AFSD's network: what padding changes, how it begins, where its moments lie."""

from typing import Any

import pytest
import torch

from actionformer.core.errors import InputError
from actionformer.detectors.afsd.architecture import AFSD
from actionformer.detectors.afsd.layers import Stage
from actionformer.detectors.afsd.network import AFSDNetwork, moments
from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.settings.config import Config

SMALL: dict[str, Any] = {"input_dim": 6, "num_classes": 3, "width": 32, "levels": 3, "frames_per_feature": 2}


def lively(**changes: Any) -> AFSDNetwork:
    """One whose every part matters: the first weights of heads are small."""
    torch.manual_seed(0)
    model = AFSDNetwork(AFSDSettings(**SMALL | changes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@torch.no_grad()
def test_a_sequence_has_one_result_whatever_it_is_padded_to() -> None:
    """Of 13 features, 16 are computed alone, and 24 beside a longer one."""
    model, features = lively(), torch.randn(1, 13, 6)
    lengths = torch.tensor([[13], [24]])
    alone = model(torch.cat((features, torch.randn(1, 3, 6)), dim=1), torch.arange(16) < lengths[:1])
    longer = torch.cat((torch.cat((features, torch.randn(1, 11, 6)), dim=1), torch.randn(1, 24, 6)))
    together = model(longer, torch.arange(24) < lengths)
    assert alone.valid is not None
    assert together.valid is not None
    assert alone.valid.sum() == together.valid[0].sum() == 13 + 7 + 4
    for name in ("distances", "logits", "shifts", "refined_logits", "center"):
        own, beside = getattr(alone, name)[0, alone.valid[0]], getattr(together, name)[0, together.valid[0]]
        torch.testing.assert_close(beside, own, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.frame_boundaries[:1, :26], alone.frame_boundaries[:, :26])


@torch.no_grad()
def test_published_padding_counts() -> None:
    model, features = lively(mask_padding="published"), torch.randn(1, 16, 6)
    found = model(features, torch.arange(16)[None] < 13)
    assert found.valid is None
    assert (found.logits - model(features).logits).abs().max() > 1e-3


def test_moments_lie_in_the_middle_of_what_they_stand_for() -> None:
    found = moments(8, AFSDSettings(**SMALL))
    assert found.tolist() == [1, 3, 5, 7, 9, 11, 13, 15, 2, 6, 10, 14, 4, 12]


@torch.no_grad()
def test_distances_begin_at_the_unit_of_their_level() -> None:
    torch.manual_seed(0)
    for unit, expected in (("frame", (1, 1, 1)), ("level", (1, 2, 4))):
        network = AFSDNetwork(AFSDSettings(**SMALL, distance_unit=unit))
        levels = network(torch.randn(1, 16, 6)).distances.split([16, 8, 4], dim=1)
        for level, distance in zip(levels, expected, strict=True):
            torch.testing.assert_close(level, torch.full_like(level, distance), atol=0.3 * distance, rtol=0)


@torch.no_grad()
def test_a_level_sees_two_moments_and_the_next_one() -> None:
    """As the published convolution has it, where ours would begin one moment earlier."""
    network = lively()
    stage = network.pyramid[1]
    assert isinstance(stage, Stage)
    assert isinstance(stage.conv.bias, torch.Tensor)
    features = torch.randn(1, 16, 32)
    changed = features.clone()
    changed[0, 6] += 1
    apart = (
        (stage.conv(torch.nn.functional.pad(changed - features, (0, 0, 1, 0))) - stage.conv.bias)[0, 1:].abs().sum(1)
    )
    assert apart.nonzero()[:, 0].tolist() == [2, 3]


@torch.no_grad()
def test_a_class_prior_is_beside_the_background() -> None:
    network = AFSDNetwork(AFSDSettings(**SMALL))
    network.set_class_prior(1e-6, [1])
    probability = network(torch.randn(1, 16, 6)).logits.softmax(-1).mean((0, 1))
    assert probability[2] < 1e-6
    assert probability[[0, 1, 3]].min() > 0.2


def test_published_windows_divide_into_levels() -> None:
    config = Config(model=AFSDSettings(**SMALL, mask_padding="published"))
    with pytest.raises(InputError, match="a multiple of 4 features, found 18: change"):
        AFSD(config.replace(data={"window": 18}))
    exact = AFSD(Config(model=AFSDSettings(**SMALL)).replace(data={"window": 18}))
    assert (exact.training_length(), exact.computed_length(5), exact.shift) == (20, 8, 0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 40}, "width must be a multiple of 32, found 40"),
        ({"level_bounds": ((0, 4),)}, "level_bounds has 1 pair for 3 levels"),
        ({"level_bounds": ((0, 4), (4, 4), (4, 8))}, r"from 0 on, found \[4, 4\]"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AFSDSettings(**SMALL | changes)


def test_the_command_line_gives_bounds_in_a_row() -> None:
    assert AFSDSettings(**SMALL, level_bounds=[0, 4, 4, 8, 8, 64]).level_bounds == ((0, 4), (4, 8), (8, 64))


def test_its_size_is_nearly_what_is_said() -> None:
    settings = AFSDSettings(**SMALL | {"width": 128})
    weights = sum(parameter.numel() for parameter in AFSDNetwork(settings).parameters())
    assert settings.rough_size == pytest.approx(weights, rel=0.05)
