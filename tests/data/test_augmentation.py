import math

import pytest
import torch

from actionformer.core.errors import InputError
from actionformer.data.augmentation import FeatureJitter, SensorRotation, rotations
from actionformer.detectors.actionformer.network import build_network
from actionformer.settings.config import Config


def test_feature_jitter_acts_in_training_only_and_keeps_padding_at_zero() -> None:
    torch.manual_seed(0)
    x, valid = torch.ones(2, 2000, 3), torch.ones(2, 2000, dtype=torch.bool)
    valid[1, 900:] = False
    jitter = FeatureJitter(shift=0.5, noise=0.1, dropout=0.2)
    jittered = jitter.train()(x, valid)
    assert (jittered[1, 900:] == 0).all()
    assert (jittered[0] == 0).float().mean() == pytest.approx(0.2, abs=0.02)
    kept = [jittered[0, :, channel][jittered[0, :, channel] != 0] for channel in range(3)]
    assert all(channel.std() == pytest.approx(0.1 / 0.8, rel=0.1) for channel in kept)  # noise over 1 - dropout
    assert len({round(float(channel.mean()), 1) for channel in kept}) > 1  # each channel has a shift of its own
    assert jitter.eval()(x, valid) is x


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
    turned = SensorRotation(axes=6, degrees=40).train()(samples.flatten(2)).view_as(samples)
    torch.testing.assert_close(turned.norm(dim=3), samples.norm(dim=3))
    for sequence in range(2):
        points, images = (x[sequence].movedim(2, -1).reshape(-1, 3) for x in (samples, turned))
        turn = torch.linalg.lstsq(points, images).solution  # one rotation explains them all
        torch.testing.assert_close(points @ turn, images, atol=1e-4, rtol=1e-4)
        assert (turn - torch.eye(3)).abs().max() > 0.05
    first, second = turned - samples
    assert (first - second).abs().max() > 0.1


def test_the_angle_is_as_asked() -> None:
    torch.manual_seed(0)
    x = torch.eye(3).flatten().expand(4000, 1, 9)  # axis after axis: the unit vectors as three samples
    turned = SensorRotation(axes=3, degrees=10).train()(x).view(-1, 3, 3)
    angle = ((turned.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1).arccos()
    assert math.degrees(angle.square().mean().sqrt()) == pytest.approx(10, rel=0.05)


def test_nothing_turns_in_test() -> None:
    x = torch.randn(1, 4, 12)
    assert SensorRotation(axes=3, degrees=10).eval()(x) is x


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sensor_rotation": 5}, "sensor_rotation needs sensor_axes"),
        ({"sensor_axes": 4}, "a multiple of 3, found 4"),
        ({"sensor_axes": 6, "input_dim": 20}, "20 channels do not divide into 6 sensor axes"),
    ],
)
def test_refusals(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Config().replace(model=settings)


def test_the_network_turns_its_features_before_it_scales_them() -> None:
    settings = {"input_dim": 12, "num_classes": 2, "width": 8, "num_heads": 2, "sensor_axes": 6, "sensor_rotation": 90}
    model = build_network(Config().replace(model=settings).model).train()
    seen = []
    model.normalizer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    features = torch.randn(1, 16, 12)
    model(features)
    model.eval()(features)
    torch.testing.assert_close(seen[0].norm(), features.norm())
    assert not torch.allclose(seen[0], features, atol=0.1)
    assert torch.equal(seen[1], features)
