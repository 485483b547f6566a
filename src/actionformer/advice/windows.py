"""Windows of one length, for detectors that see no other, from the lengths of the actions."""

from __future__ import annotations

import math

from actionformer.advice.draft import Draft
from actionformer.core.words import plural

UNIT = 32
"""Windows are multiples of this many features."""
LEAST, MOST = 64, 512
"""Features of a window."""
MOST_OF_A_MAP = 256
"""Likewise where all segments are scored: a map of the longest takes a CPU about a second a step in training."""
FEWEST_QUERIES = 20
"""Actions that can be found in a window, at least; of the fullest training window there are twice as many."""
CANDIDATES = 10_000
"""Of a window, where segments of every length are scored, before suppression."""


def add_windows(draft: Draft) -> None:
    """Windows twice as long as the longest action, so that each action lies in one as a whole, half overlapped."""
    if draft.one_length and draft["data.resize"] is None:
        _add_length(draft)
    window, longest = draft["data.window"], draft.facts.steps.max()
    if window is not None:
        duration = min(math.ceil(longest) + 1, window)
        reason = f"the longest action has {longest:.0f} features"
        if longest > window:
            longer = int((draft.facts.steps > window).sum())
            reason = f"windows have no more; {plural(longer, 'action')} of up to {longest:.0f} features cannot be found"
        draft.set("model.max_duration", duration, reason)
    if draft.has("model.num_queries"):
        fullest = max((len(labels) for labels in draft.sequences), default=0)
        reason = f"the fullest sequence of training has {plural(fullest, 'action')}, and new ones may have more"
        draft.set("model.num_queries", max(2 * fullest, FEWEST_QUERIES), reason)
    if draft.scores_all_segments:
        draft.set("decoding.top_k", CANDIDATES, "segments of all lengths are scored, several thousand in a window")


def _add_length(draft: Draft) -> None:
    longest, videos = draft.facts.steps.max(), int(draft.facts.lengths.max())
    wanted, most = _rounded(min(2 * longest, videos)), MOST_OF_A_MAP if draft.scores_all_segments else MOST
    reason = f"twice the longest action, {longest:.0f} features: windows overlap by half, and one shows it as a whole"
    if wanted < LEAST:
        wanted, reason = LEAST, f"the least; the longest action has {longest:.0f} features"
    elif wanted > most:
        wanted, reason = most, f"longer ones take too long, though the longest action has {longest:.0f} features"
    elif videos < 2 * longest:
        reason = f"all of the longest recording, {videos} features"
    draft.set("data.window", wanted, reason)


def _rounded(features: float) -> int:
    return -int(-features // UNIT) * UNIT
