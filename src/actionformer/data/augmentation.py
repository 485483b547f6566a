"""What training does to features so that a network learns from few people or videos; in test nothing happens."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from actionformer.nn.layers import Mask, masked


class FeatureJitter(nn.Module):
    """In training, makes normalised features less certain; in test it does nothing.

    Every sequence gets a random gain and shift of its own a channel, every value noise, and some values are dropped:
    x -> drop(x * (1 + shift * g) + shift * h + noise * e), with g, h and e standard normal.
    """

    def __init__(self, *, shift: float, noise: float, dropout: float) -> None:
        super().__init__()
        self.shift = shift
        self.noise = noise
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, D) -> (B, T, D), 0 at padding."""
        if not self.training:
            return x
        if self.shift:
            gain, offset = torch.randn(2, len(x), 1, x.shape[2], device=x.device, dtype=x.dtype)
            x = x * (1 + self.shift * gain) + self.shift * offset
        if self.noise:
            x = x + self.noise * torch.randn_like(x)
        jittered: Tensor = self.dropout(x)
        return masked(jittered, valid)


class SensorRotation(nn.Module):
    """In training, turns every sequence of windows of sensor samples in space, as if the sensor were worn askew.

    Features are windows of 3-D sensors, axis after axis: x, y, z of the accelerometer, x, y, z of the gyroscope, and so
    on, all samples of an axis together. A sequence is turned about a random axis by a normally distributed angle, all
    its sensors alike. It acts on the features as measured: scaled channels have no directions.

    Args:
        axes: sensor axes in a feature vector, a multiple of 3.
        degrees: standard deviation of the angle.
    """

    def __init__(self, *, axes: int, degrees: float) -> None:
        super().__init__()
        self.axes = axes
        self.degrees = degrees

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        if not self.training:
            return x
        with torch.autocast(x.device.type, enabled=False):
            turn = rotations(torch.randn(len(x), 3), math.radians(self.degrees) * torch.randn(len(x))).to(x.device)
            triples = x.float().reshape(*x.shape[:2], self.axes // 3, 3, -1)  # (B, T, sensors, 3, samples)
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
