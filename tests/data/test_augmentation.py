import math

import pytest
import torch

from actionformer.core.errors import InputError
from actionformer.data.augmentation import Augmentation, rotations, turned
from actionformer.data.settings import DataSettings
from actionformer.settings.config import Config


def augmentation(channels: int, mean: float = 0.0, deviation: float = 1.0, **changes: float) -> Augmentation:
    return Augmentation(DataSettings(**changes), torch.full((channels,), mean), torch.full((channels,), deviation))


def test_features_jitter_in_deviations_of_their_channel() -> None:
    torch.manual_seed(0)
    x = torch.full((2, 2000, 3), 8.0)  # one deviation above the mean
    jittered = augmentation(3, 5.0, 3.0, feature_shift=0.5, feature_noise=0.1, feature_dropout=0.2)(x)
    dropped = jittered == 5.0
    assert dropped.float().mean() == pytest.approx(0.2, abs=0.02)
    kept = [jittered[0, :, channel][~dropped[0, :, channel]] for channel in range(3)]
    assert all(channel.std() == pytest.approx(3 * 0.1 / 0.8, rel=0.1) for channel in kept)  # noise over 1 - dropout
    assert len({round(float(channel.mean()), 1) for channel in kept}) > 1  # each channel has a shift of its own


def test_without_settings_features_stay_as_they_are() -> None:
    x = torch.randn(1, 4, 12)
    assert augmentation(12)(x) is x
    assert augmentation(12, sensor_axes=6)(x) is x


def test_rotations_by_hand() -> None:
    quarter = rotations(torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([math.pi / 2]))
    torch.testing.assert_close(quarter[0] @ torch.tensor([1.0, 0.0, 5.0]), torch.tensor([0.0, 1.0, 5.0]))
    torch.testing.assert_close(rotations(torch.randn(4, 3), torch.zeros(4)), torch.eye(3).expand(4, 3, 3))


def test_rotations_keep_lengths_angles_and_their_axis() -> None:
    torch.manual_seed(0)
    axis, angle = torch.randn(50, 3), 2 * torch.randn(50)
    turn = rotations(axis, angle)
    torch.testing.assert_close(turn @ turn.mT, torch.eye(3).expand(50, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(turn.det(), torch.ones(50))
    torch.testing.assert_close((turn @ axis[..., None])[..., 0], axis, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(turn.diagonal(dim1=1, dim2=2).sum(1), 1 + 2 * angle.cos(), atol=1e-5, rtol=0)


def test_all_sensors_of_a_sequence_turn_alike_at_every_sample() -> None:
    torch.manual_seed(1)
    samples = torch.randn(2, 5, 2, 3, 4)  # (B, T, sensors, axes, samples)
    images = turned(samples.flatten(2), axes=6, degrees=40).view_as(samples)
    torch.testing.assert_close(images.norm(dim=3), samples.norm(dim=3))
    for sequence in range(2):
        before, after = (x[sequence].movedim(2, -1).reshape(-1, 3) for x in (samples, images))
        turn = torch.linalg.lstsq(before, after).solution  # one rotation explains them all
        torch.testing.assert_close(before @ turn, after, atol=1e-4, rtol=1e-4)
        assert (turn - torch.eye(3)).abs().max() > 0.05
    first, second = images - samples
    assert (first - second).abs().max() > 0.1


def test_the_angle_is_as_asked() -> None:
    torch.manual_seed(0)
    x = torch.eye(3).flatten().expand(4000, 1, 9)  # axis after axis: the unit vectors as three samples
    turns = turned(x, axes=3, degrees=10).view(-1, 3, 3)
    angle = ((turns.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1).arccos()
    assert math.degrees(angle.square().mean().sqrt()) == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sensor_rotation": 5}, "sensor_rotation needs sensor_axes"),
        ({"sensor_axes": 4}, "a multiple of 3, found 4"),
    ],
)
def test_refusals(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Config().replace(data=settings)


def test_sensors_must_fit_the_width_of_features() -> None:
    with pytest.raises(InputError, match="20 channels do not divide into 6 sensor axes"):
        Config().replace(data={"sensor_axes": 6}, model={"input_dim": 20})


def test_sensors_turn_before_features_are_scaled() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 16, 12)
    found = augmentation(12, 5.0, 3.0, sensor_axes=6, sensor_rotation=90)(x)
    torch.testing.assert_close(found.norm(), x.norm())
    assert not torch.allclose(found, x, atol=0.1)
