"""What training does to features so that a network learns from few people or videos."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.data.settings import DataSettings


class Augmentation:
    """Changes the features of every batch of training, drawn from torch's global generator.

    Args:
        settings: how much of what.
        mean: (D,) of each channel in the training set.
        deviation: (D,) likewise.
    """

    def __init__(self, settings: DataSettings, mean: Tensor, deviation: Tensor) -> None:
        self.settings, self.mean, self.deviation = settings, mean, deviation

    @property
    def draws(self) -> bool:
        """Whether it changes anything."""
        settings = self.settings
        jitter = settings.feature_shift or settings.feature_noise or settings.feature_dropout
        return bool(jitter or settings.sensor_rotation)

    def __call__(self, features: Tensor) -> Tensor:
        """Features (B, T, D) as measured -> the same shape; what becomes of padding has no meaning."""
        settings = self.settings
        if settings.sensor_axes is not None and settings.sensor_rotation:
            features = turned(features, axes=settings.sensor_axes, degrees=settings.sensor_rotation)
        if settings.feature_shift or settings.feature_noise or settings.feature_dropout:
            jittered = self._jittered((features - self.mean) / self.deviation)
            features = jittered * self.deviation + self.mean
        return features

    def _jittered(self, x: Tensor) -> Tensor:
        """Makes normalised features (B, T, D) less certain: x -> drop(x * (1 + shift * g) + shift * h + noise * e).

        Every sequence has a gain g and a shift h of its own per channel, every value noise e, all standard normal.
        """
        shift, noise = self.settings.feature_shift, self.settings.feature_noise
        if shift:
            gain, offset = torch.randn(2, len(x), 1, x.shape[2], device=x.device, dtype=x.dtype)
            x = x * (1 + shift * gain) + shift * offset
        if noise:
            x = x + noise * torch.randn_like(x)
        return F.dropout(x, self.settings.feature_dropout)


def turned(features: Tensor, *, axes: int, degrees: float) -> Tensor:
    """Windows of sensor samples, every sequence turned in space as if the sensor were worn askew.

    Features are windows of 3-D sensors, axis after axis: x, y, z of the accelerometer, x, y, z of the gyroscope, and so
    on, all samples of an axis together. A sequence is turned about a random axis by a normally distributed angle, all
    its sensors alike.

    Args:
        features: (B, T, D) as measured: scaled channels have no directions.
        axes: sensor axes in a feature vector, a multiple of 3.
        degrees: standard deviation of the angle.

    Returns:
        (B, T, D)
    """
    angle = math.radians(degrees)
    turn = rotations(torch.randn(len(features), 3), angle * torch.randn(len(features))).to(features.device)
    triples = features.float().reshape(*features.shape[:2], axes // 3, 3, -1)  # (B, T, sensors, 3, samples)
    return torch.matmul(turn[:, None, None], triples).flatten(2)


def rotations(axis: Tensor, angle: Tensor) -> Tensor:
    """Rotations about axes (N, 3) by angles (N,) in radians: matrices (N, 3, 3), by Rodrigues' formula.

    R = I + sin(a) K + (1 - cos(a)) K^2, where K v = axis x v for the axis of length 1.
    """
    unit = axis / axis.norm(dim=1, keepdim=True)
    cross: Tensor = torch.linalg.cross(unit[:, None], torch.eye(3).expand(len(axis), 3, 3), dim=-1).mT
    angle = angle[:, None, None]
    matrices: Tensor = torch.eye(3) + angle.sin() * cross + (1 - angle.cos()) * cross @ cross
    return matrices
