"""How much of a recording training sees at once."""

from __future__ import annotations

from actionformer.advice.draft import Draft

UNIT = 256
"""Lengths are multiples of this many features."""
USUAL = 2304
"""Features; longer recordings are seen in crops, as published models see them."""
MOST = 16_384
"""Features; more do not fit a small machine's memory."""
AROUND = 4
"""A crop is this many times as long as the longest action, so that most crops show it whole."""


def add_sequences(draft: Draft) -> None:
    """The longest sequence of training: all of every recording, if that is not too long."""
    longest, action = int(draft.facts.lengths.max()), draft.facts.steps.max()
    window = draft["data.window"]
    if window is not None:
        draft.set("model.max_length", window, "the windows of data.window")
        return
    most = min(max(USUAL, _rounded(AROUND * action)), MOST)
    if longest <= most:
        draft.set("model.max_length", _rounded(longest), f"holds the longest recording, {longest} features")
        return
    draft.set(
        "model.max_length",
        most,
        f"recordings have up to {longest} features and are seen in crops, {most / action:.0f} times the longest action",
    )


def _rounded(features: float) -> int:
    return -int(-features // UNIT) * UNIT
