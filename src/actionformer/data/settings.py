"""Settings of the data that a model is trained on and evaluated on."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from actionformer.settings.base import Settings
from actionformer.settings.model import WIDEST


class DataSettings(Settings):
    """Which videos, how their features lie in time, and how training crops them."""

    train_subset: tuple[str, ...] = ("training",)
    """Subsets of the annotation file to train on."""
    test_subset: tuple[str, ...] = ("validation",)
    """Subsets to evaluate on."""
    prefix: str = ""
    """What stands before the video's id in the name of its feature file, e.g. `v_`."""
    fps: float | None = Field(None, ge=1e-6, le=1e9)
    """Frames per second of the video that features were taken from; without it, sidecar or annotation file."""
    stride: float | None = Field(None, ge=1e-6, le=1e9)
    """Frames between neighbouring features; without it, the sidecar."""
    num_frames: float | None = Field(None, ge=1e-6, le=1e9)
    """Frames a feature covers; without it, the sidecar."""
    resize: int | None = Field(None, ge=1, le=100_000)
    """Length every sequence is resized to, linearly (ActivityNet: 192)."""
    normalize: bool = True
    """Standardise each feature channel by its mean and deviation over the training subset."""
    crop_ratio: tuple[float, float] = (0.9, 1.0)
    """Least and largest share of a sequence within max_length that a random crop keeps; 1, 1 keeps all."""
    min_overlap: float = Field(0.5, ge=0, le=1)
    """Share of an action's length that must lie in the crop for the action to be kept."""
    crop_margin: float = Field(0.5, ge=0, le=1)
    """How far beyond a crop its actions may reach, in clips of num_frames; TriDet and TemporalMaxer have 0."""
    feature_shift: float = Field(0.0, ge=0, le=100)
    """Training gives every sequence a random gain and shift of this size per channel, in deviations of the channel."""
    feature_noise: float = Field(0.0, ge=0, le=100)
    """Training adds noise of this size to every feature, in deviations of the channel."""
    feature_dropout: float = Field(0.0, ge=0, lt=1)
    """Training sets this share of the features to their channel's mean."""
    sensor_axes: int | None = Field(None, ge=3, le=WIDEST)
    """For features that are windows of samples of 3-D sensors, axis after axis: how many axes, e.g. 6."""
    sensor_rotation: float = Field(0.0, ge=0, le=360)
    """Training turns the sensors of every sequence in space, by an angle of this deviation in degrees."""

    @field_validator("crop_ratio")
    @classmethod
    def _shares(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] <= value[1] <= 1:
            raise ValueError("crop_ratio must be two shares above 0 and up to 1, the least first")
        return value

    @model_validator(mode="after")
    def _sensors(self) -> DataSettings:
        if self.sensor_rotation and self.sensor_axes is None:
            raise ValueError("sensor_rotation needs sensor_axes")
        if self.sensor_axes is not None and self.sensor_axes % 3:
            raise ValueError(f"sensor_axes counts axes of 3-D sensors, a multiple of 3, found {self.sensor_axes}")
        return self
