"""Settings that every detector's network has: which detector, what goes in, what comes out."""

from __future__ import annotations

from pydantic import Field, field_validator

from actionformer.core.errors import InputError
from actionformer.settings.base import Settings

WIDEST = 16_384
"""Channels of any layer."""


class ModelSettings(Settings):
    """The network of a detector. Each detector adds its own."""

    detector: str = "actionformer"
    """Which detector."""
    input_dim: tuple[int, ...] | int | None = None
    """Channels of a feature vector; a list if several sources are concatenated; if unset, read from the data."""
    num_classes: int | None = Field(None, ge=1, le=100_000)
    """Number of action classes; if unset, read from the data."""
    max_length: int = Field(2304, ge=1, le=1_000_000)
    """Longest sequence in training, in features; position encodings and the published padding have this length."""

    @field_validator("input_dim")
    @classmethod
    def _one_source(cls, value: tuple[int, ...] | int | None) -> tuple[int, ...] | int | None:
        return value[0] if isinstance(value, tuple) and len(value) == 1 else value

    @property
    def input_width(self) -> int:
        """Channels of a feature vector, all sources together."""
        if self.input_dim is None:
            raise InputError("model.input_dim is not set: give it, or let training read it from the features")
        return sum(self.input_dim) if isinstance(self.input_dim, tuple) else self.input_dim

    @property
    def layer_inputs(self) -> int:
        """Inputs of a typical layer: its weights are first drawn up to 1 / sqrt of them."""
        return 512


def listed(numbers: tuple[int, ...] | int | None) -> tuple[int, ...]:
    """A setting that is one number, several or none, as several."""
    return numbers if isinstance(numbers, tuple) else () if numbers is None else (numbers,)
