"""Settings of MUSES' network, and of what it learns from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from actionformer.core.words import plural
from actionformer.settings.model import WIDEST, ModelSettings, listed

MOST_STREAMS = 4
"""Networks of one model."""
TAPS = 30
"""Features that all scales together aggregate one feature from, some of them twice."""


class MUSESSettings(ModelSettings):
    """MUSES' network, and the proposals that it learns from. Widths are channels."""

    PUBLISHED: ClassVar[Mapping[str, Any]] = {"whole_frames": 8}
    USUAL: ClassVar[Mapping[str, Mapping[str, Any]]] = {"suppression": {"method": "hard", "tiou_threshold": 0.4}}

    detector: Literal["muses"] = "muses"
    """Which detector."""
    width: int = Field(512, ge=1, le=WIDEST)
    """Channels of the features that segments are judged by."""
    first_width: int | None = Field(None, ge=1, le=WIDEST)
    """Channels of the first of two layers; if unset, three quarters of width."""
    head_width: int | None = Field(None, ge=1, le=WIDEST)
    """Hidden channels of the heads; if unset, three quarters of width."""
    bins: int = Field(8, ge=4, le=256, multiple_of=4)
    """Bins in which a segment is seen, with half of its length on either side: half of them are its own."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout before the class of a segment is told; published 0.8."""
    stream_weights: tuple[float, ...] = (1.0,)
    """A network for each source of features, as many channels each unless `input_dim` says; weights of their mean."""
    whole_frames: int | None = Field(None, ge=1, le=1000)
    """Published: segments lie in whole frames, so many a feature, and are rounded as there; unset: no rounding."""
    foregrounds: int = Field(8, ge=1, le=1000)
    """Proposals that training draws of a sequence per step from those that fit an action, or actions; published 1."""
    incompletes: int = Field(48, ge=1, le=1000)
    """Proposals likewise that show a part of an action; published 6."""
    backgrounds: int = Field(8, ge=1, le=1000)
    """Proposals likewise that show none; published 1."""
    foreground_tiou: float = Field(0.7, ge=0, lt=1)
    """Proposals with a higher tIoU fit an action."""
    incomplete_tiou: float = Field(0.3, ge=0, le=1)
    """Proposals with a lower tIoU, but more than `incomplete_share` inside the action, show a part of it."""
    incomplete_share: float = Field(0.01, ge=0, lt=1)
    """Share of a proposal that lies inside an action."""
    background_tiou: float = Field(0.01, ge=0, le=1)
    """Proposals with a lower tIoU show no action, if they are longer than `background_length`."""
    background_length: float = Field(0.02, ge=0, lt=1)
    """Share of a sequence."""
    hard_share: float = Field(0.17, gt=0, le=1)
    """Share of a sequence's incomplete proposals that completeness learns from: those with the highest loss."""
    completeness_weight: float = Field(0.5, ge=0, le=1e6)
    """Weight of the loss of completeness."""
    refinement_weight: float = Field(1.0, ge=0, le=1e6)
    """Weight of the loss of how segments have to be moved."""

    @model_validator(mode="after")
    def _consistent(self) -> MUSESSettings:
        weights, sources = self.stream_weights, listed(self.input_dim)
        if not 1 <= len(weights) <= MOST_STREAMS or not all(0 < weight <= 1e6 for weight in weights):
            raise ValueError(f"stream_weights must be 1 to {MOST_STREAMS} positive numbers, e.g. 1 1.2")
        if len(weights) > 1 and sources and len(sources) != len(weights) and sum(sources) % len(weights):
            raise ValueError(
                f"{plural(len(weights), 'stream')} cannot share {sum(sources)} channels evenly: let input_dim list them"
            )
        self._check_input()
        self._check_size()
        return self

    @property
    def sources(self) -> tuple[int, ...]:
        """Channels that each stream sees, in the order of the features."""
        count, sources = len(self.stream_weights), listed(self.input_dim)
        return sources if len(sources) == count else (self.input_width // count,) * count

    @property
    def widths(self) -> tuple[int, int, int]:
        """Channels of the first layer, of the second, and hidden ones of the heads."""
        part = max(self.width * 3 // 4, 1)
        return self.first_width or part, self.width, self.head_width or part

    @property
    def draws(self) -> tuple[int, int, int]:
        """Foreground, incomplete and background proposals that training draws of a sequence."""
        return self.foregrounds, self.incompletes, self.backgrounds

    @property
    def rough_size(self) -> float:
        """Weights of the network, nearly; what the data have yet to tell is left out."""
        first, second, hidden = self.widths
        streams = len(self.stream_weights)
        heads = hidden * (second * self.bins * 3 / 2 + 4 * (self.num_classes or 0))
        return TAPS * first * (sum(listed(self.input_dim)) + streams * second) + streams * heads

    @property
    def layer_inputs(self) -> int:
        """Inputs of the second layer."""
        return 9 * self.widths[0]
