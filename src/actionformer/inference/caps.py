"""Caps: how many detections a recording may have, and what is said where a cap cuts.

The published caps were chosen for videos of minutes. By default they count per so many features as the longest training
sequence has (`model.max_length`), so that a day has room for a day's actions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from actionformer.core.segments import TimeGrid
from actionformer.core.words import plural
from actionformer.nn.settings import PyramidSettings
from actionformer.settings.config import Config

SHOWN_SCORE = 0.3
"""Score from which a detection is shown where people look at all of them."""
LEAST_TOLD = 0.05
"""Score below which nothing is missed, however little a model dares to say."""


def worth_telling(best: float) -> float:
    """The score from which a detection that a cap cuts is missed: `SHOWN_SCORE`, or half of the best where all are low.

    In the published detections of THUMOS14, where the cap cuts from each of 212 videos, the last that is kept scores up
    to 0.28, and up to 0.43 times the best.
    """
    return max(min(SHOWN_SCORE, best / 2), LEAST_TOLD)


def most_detections(config: Config, length: int, grid: TimeGrid) -> int:
    """The cap of a finished video of `length` features."""
    settings = config.suppression
    if config.live.max_per_hour is not None:
        return math.ceil(config.live.max_per_hour * length * grid.step / 3600)
    if settings.cap_per == "video":
        return settings.max_detections
    return max(settings.max_detections, math.ceil(settings.max_detections * length / config.model.max_length))


class Shares:
    """The cap of a stream, shared out to its blocks.

    Of so many an hour every block has its share, and what it leaves is gone. Else what the first blocks leave is for
    later ones, so that there are never more than in proportion to the length so far. At the end all blocks that are
    left share what a finished video may have, and in a short video these are all. A cap per video is taken for one per
    length, as nobody knows how long a stream will be.

    Args:
        config: the stream's settings.
        grid: of its features.
        block: length of a block, features.
    """

    def __init__(self, config: Config, grid: TimeGrid, block: float) -> None:
        per_length = config.suppression.model_copy(update={"cap_per": "length"})
        self.config = config.model_copy(update={"suppression": per_length})
        self.grid = grid
        per_hour = config.live.max_per_hour
        self.hourly = per_hour is not None
        if per_hour is not None:
            self.share = per_hour * block * grid.step / 3600
        else:
            self.share = config.suppression.max_detections * block / config.model.max_length

    def of_block(self, block: int, kept: int) -> int:
        """Most detections of a block, when `kept` were kept before it."""
        before = math.ceil(block * self.share) if self.hourly else kept
        return max(math.ceil((block + 1) * self.share) - before, 0)

    def of_rest(self, length: int, kept: int) -> int:
        """Most detections of all blocks that are left, of a stream that ends after `length` features."""
        return max(most_detections(self.config, length, self.grid) - kept, 0)


@dataclass
class Cut:
    """What caps have cut of one recording that would be missed."""

    kept: int = 0
    """Detections that were kept and score at least `score`."""
    more: int = 0
    """Detections that were cut and score at least `score`."""
    score: float = math.inf
    left_score: float = 0.0
    """The highest score that `decoding.top_k` has left out, 0 if none."""
    left_level: int = 0
    """Its level."""

    def add(self, kept: int, more: int, score: float) -> None:
        """Takes in a part of the recording."""
        self.kept += kept
        self.more += more
        self.score = min(self.score, score)

    def leave(self, score: float, level: int) -> None:
        """Takes in what decoding has left out of a part of the recording."""
        if score > self.left_score:
            self.left_score, self.left_level = score, level

    def message(self, name: str, config: Config) -> str | None:
        """One line for people, None where nothing is missed."""
        parts = []
        if self.more:
            parts.append(
                f"kept {self.kept:,} of {self.kept + self.more:,} detections that score {self.score:.2g} or more, "
                f"as {_cap_in_words(config)}"
            )
        if self.left_score and self.left_score >= self.score:
            of_level = f" of level {self.left_level}" if _has_levels(config) else ""
            parts.append(f"{_left_in_words(config)}, as others{of_level} score {self.left_score:.2g}")
        return f"{name}: " + "; ".join(parts) if parts else None


def cuts_in_words(cuts: Mapping[str, Cut], config: Config) -> str | None:
    """One line for people about the recording of which most is missed and how many others there are, None if none."""
    told = {name: cut for name, cut in cuts.items() if cut.message(name, config)}
    if not told:
        return None
    name = max(told, key=lambda one: told[one].more)
    others = f" (and likewise {plural(len(told) - 1, 'more video')})" if len(told) > 1 else ""
    return told[name].message(name + others, config)


def _cap_in_words(config: Config) -> str:
    if config.live.max_per_hour is not None:
        return f"live.max_per_hour is {config.live.max_per_hour:g}"
    return f"suppression.max_detections is {config.suppression.max_detections:,} per {_advice(config, 'suppression')}"


def _left_in_words(config: Config) -> str:
    top_k = f"decoding.top_k is {config.decoding.top_k:,} per"
    if _has_levels(config):
        return f"{top_k} level and {_advice(config, 'decoding')}"
    if config.data.window or config.data.resize:  # then it counts in what the network sees at once
        return f"{top_k} {'window' if config.data.window else 'video'}: raise it"
    return f"{top_k} {_advice(config, 'decoding')}"


def _has_levels(config: Config) -> bool:
    """Whether candidates come from the levels of a pyramid, each of which keeps its own."""
    return isinstance(config.model, PyramidSettings)


def _advice(config: Config, section: str) -> str:
    if getattr(config, section).cap_per == "video":
        return f"video: raise it, or set {section}.cap_per to length"
    return f"{config.model.max_length:,} features: raise it"
