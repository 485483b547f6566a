"""Settings of TemporalMaxer's network."""

from __future__ import annotations

from typing import Literal

from actionformer.nn.settings import PyramidSettings

GROUPS = 4
"""Of the GroupNorm before the heads."""


class TemporalMaxerSettings(PyramidSettings):
    """TemporalMaxer's network: max pooling alone between embedding and heads. Widths are channels."""

    detector: Literal["temporalmaxer"] = "temporalmaxer"
    """Which detector."""
    level_norm: Literal["layernorm", "groupnorm"] = "layernorm"
    """Norm before the heads: one LayerNorm that all levels share, or a GroupNorm over the whole sequence."""
    offset_target: Literal["shortest", "cheapest"] = "shortest"
    """Which action around it a positive moment learns: the shortest, or the one its outputs fit best (cheapest)."""

    def _check_blocks(self) -> None:
        width = self.neck_width or self.width
        if self.normalises_sequences and width % GROUPS:
            raise ValueError(f"width must be a multiple of {GROUPS} for groupnorm, found {width}")
        if self.offset_target == "cheapest" and self.boundary == "trident":
            raise ValueError("offset_target cheapest compares the offsets of a plain boundary; boundary is trident")

    @property
    def normalises_sequences(self) -> bool:
        """Whether the norm before the heads depends on all moments of a sequence."""
        return self.neck_norm and self.level_norm == "groupnorm"
