"""What published implementations of G-TAD do in different ways, and what they do by mistake."""

from __future__ import annotations

from dataclasses import replace

from actionformer.detectors.gtad.settings import GTADSettings
from actionformer.nn.segment_map.rules import AS_AUTHORS, AS_TOOLBOX, Rules

EXACT = Rules()
OPENTAD = replace(AS_TOOLBOX, sampled_after=1.0, half_precision=True)
THUMOS14 = replace(
    AS_AUTHORS,
    map_offset=0.5,  # 2 or 3 frames of 5
    too_long=60,  # 300 frames
    overlap_weight=0.5,
    class_weight=10.0,
    extra_examples=10.0,
)
ACTIVITYNET = replace(AS_AUTHORS, boundary_span=2.0)
RULES = {"exact": EXACT, "opentad": OPENTAD, "thumos14": THUMOS14, "activitynet": ACTIVITYNET}
"""By the name of the convention."""


def rules_of(settings: GTADSettings) -> Rules:
    """Those of the convention that settings name."""
    return RULES[settings.convention]
