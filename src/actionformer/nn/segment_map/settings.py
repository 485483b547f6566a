"""Settings that networks with a map of segments share."""

from __future__ import annotations

from pydantic import Field

from actionformer.settings.model import ModelSettings


class SegmentMapSettings(ModelSettings):
    """Of a network that scores all segments of a sequence."""

    max_length: int = Field(128, ge=2, le=1_000_000)
    """Longest sequence in training, in features: that of the windows, or of resized sequences."""
    max_duration: int | None = Field(None, ge=1, le=1_000_000)
    """Length of the longest segments on the map, in features; if unset, that of the windows."""

    def _check_duration(self) -> None:
        if (self.max_duration or 1) > self.max_length:
            raise ValueError(f"max_duration {self.max_duration} is longer than max_length {self.max_length}")

    def longest(self, length: int) -> int:
        """Steps of the longest segments on the map of `length` features."""
        return min(self.max_duration or length, length)
