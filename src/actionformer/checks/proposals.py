"""Actions that nothing is proposed for: what is judged alone is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actionformer.checks.findings import Finding
from actionformer.core.segments import tiou
from actionformer.data.collection import FeaturedVideo

HALF = 0.5
"""tIoU from which on a proposal is one of an action."""
MOST_MISSED = 0.2
"""Share of actions without one that is not worth a warning: few first stages miss less."""


def check_proposals(videos: Sequence[FeaturedVideo]) -> list[Finding]:
    """Actions that no proposal of their video overlaps by half, if there are proposals."""
    best = [
        tiou(one.video.segments, one.proposals).max(axis=1, initial=0.0) for one in videos if one.proposals is not None
    ]
    every = np.concatenate([np.empty(0), *best])
    missed, total = int((every < HALF).sum()), len(every)
    if missed <= MOST_MISSED * total:
        return []
    return [
        Finding(
            "not_proposed",
            "error" if missed == total else "warning",
            missed,
            total,
            f"actions have no proposal with a tIoU of {HALF:g}",
            "",
            "what nobody proposes is not found: give more proposals, or those of a better model",
        )
    ]
