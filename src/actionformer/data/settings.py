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
    """Prefix of feature file names, e.g. `v_`."""
    fps: float | None = Field(None, ge=1e-6, le=1e9)
    """Frame rate of the videos that the features were extracted from; if unset, the sidecar or annotation file says."""
    stride: float | None = Field(None, ge=1e-6, le=1e9)
    """Frames between neighbouring features; if unset, the sidecar says."""
    num_frames: float | None = Field(None, ge=1e-6, le=1e9)
    """Frames that each feature covers; if unset, the sidecar says."""
    resize: int | None = Field(None, ge=1, le=100_000)
    """Length in features to which every sequence is resized, linearly (ActivityNet: 192)."""
    window: int | None = Field(None, ge=2, le=100_000)
    """Length in features of the overlapping windows that every sequence is cut into; if unset, it stays whole."""
    train_overlap: float = Field(0.5, ge=0, lt=1)
    """Share of each window that overlaps the next one in training."""
    test_overlap: float = Field(0.5, ge=0, lt=1)
    """Share of each window that overlaps the next one in detection; suppression sees all windows together."""
    normalize: bool = True
    """Standardise each feature channel by its mean and standard deviation over the training subset."""
    center_videos: bool = False
    """Subtract from each feature channel its mean over the video, before anything else is done to it."""
    crop_ratio: tuple[float, float] = (0.9, 1.0)
    """Random crops keep a share between these two of a sequence that fits into max_length; 1, 1 keeps all of it."""
    min_overlap: float = Field(0.5, ge=0, le=1)
    """Share of an action's length that must lie in the crop, or in the window, for the action to be kept."""
    crop_margin: float = Field(0.5, ge=0, le=1)
    """How far an action may extend beyond a crop, in clips of num_frames; TriDet and TemporalMaxer use 0."""
    feature_shift: float = Field(0.0, ge=0, le=100)
    """Training scales and shifts each channel of a sequence at random, by this many standard deviations."""
    feature_noise: float = Field(0.0, ge=0, le=100)
    """Training adds noise to every feature, of this many standard deviations of its channel."""
    feature_dropout: float = Field(0.0, ge=0, lt=1)
    """Training replaces this share of the feature values by the mean of their channel."""
    sensor_axes: int | None = Field(None, ge=3, le=WIDEST)
    """Number of axes, e.g. 6, if features are windows of samples from 3-D sensors, stored axis after axis."""
    sensor_rotation: float = Field(0.0, ge=0, le=360)
    """Training rotates the sensors of every sequence in space; standard deviation of the angle, in degrees."""

    @field_validator("crop_ratio")
    @classmethod
    def _shares(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] <= value[1] <= 1:
            raise ValueError("crop_ratio must be two shares above 0 and up to 1, the least first")
        return value

    @model_validator(mode="after")
    def _one_length(self) -> DataSettings:
        if self.resize is not None and self.window is not None:
            raise ValueError("resize makes one length of every sequence, window cuts it: set one of them")
        return self

    @model_validator(mode="after")
    def _sensors(self) -> DataSettings:
        if self.sensor_rotation and self.sensor_axes is None:
            raise ValueError("sensor_rotation needs sensor_axes")
        if self.sensor_axes is not None and self.sensor_axes % 3:
            raise ValueError(f"sensor_axes counts axes of 3-D sensors, a multiple of 3, found {self.sensor_axes}")
        return self
