"""Settings that every detector's network has: which detector, what goes in, what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, field_validator

from actionformer.core.errors import InputError
from actionformer.settings.base import Settings, check_short

WIDEST = 16_384
"""Channels of any layer."""
MOST_WEIGHTS = 500_000_000
"""Of a network; the largest published one has 120 million."""


class ModelSettings(Settings):
    """The network of a detector. Each detector adds its own."""

    PUBLISHED: ClassVar[Mapping[str, Any]] = {}
    """What the released implementation has where the defaults differ."""

    USUAL: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Section -> setting -> value, of other sections, that `auto` takes for it where the rules for all would not do."""
    UNUSED: ClassVar[tuple[str, ...]] = (
        "training.center_sampling",
        "training.center_radius",
        "training.regression_weight",
        "training.label_smoothing",
        "training.initial_normalizer",
    )
    """Settings of other sections that have no effect with it: those of moments that are taught as ActionFormer's."""
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

    def _check_input(self) -> None:
        sources = listed(self.input_dim)
        check_short("input_dim", sources)
        if not all(1 <= channels <= WIDEST for channels in sources):
            raise ValueError(f"input_dim counts channels, from 1 on and up to {WIDEST} a source")

    def _check_size(self) -> None:
        if self.rough_size > MOST_WEIGHTS:
            raise ValueError(
                f"the network would have {self.rough_size:.1e} weights, at most {MOST_WEIGHTS:.1e} are built"
            )

    @property
    def rough_size(self) -> float:
        """Weights of the network, nearly; what the data have yet to tell is left out."""
        return 0

    @property
    def layer_inputs(self) -> int:
        """Inputs of a typical layer: its weights are first drawn up to 1 / sqrt of them."""
        return 512


def listed(numbers: tuple[int, ...] | int | None) -> tuple[int, ...]:
    """A setting that is one number, several or none, as several."""
    return numbers if isinstance(numbers, tuple) else () if numbers is None else (numbers,)
