"""What published implementations of G-TAD do in different ways, and what they do by mistake."""

from __future__ import annotations

from dataclasses import replace

from actionformer.detectors.gtad.settings import GTADSettings
from actionformer.nn.segment_map.rules import Rules

EXACT = Rules()
OPENTAD = Rules(
    starts_before=False,
    sampled_before=0.0,
    sampled_after=1.0,
    whole_steps=True,
    best_is_positive=False,
    published=True,
    half_precision=True,
)
AUTHORS = Rules(
    sampled_before=0.0,
    sampled_after=0.0,
    boundary_offset=-0.5,
    end_step=1,
    empty_is_low=False,
    squared=True,
    draws_anywhere=True,
    log_offset=1e-6,
    best_is_positive=False,
    published=True,
)
"""What both branches of the authors' repository have in common."""
THUMOS14 = replace(
    AUTHORS,
    map_offset=0.5,  # 2 or 3 frames of 5
    too_long=60,  # 300 frames
    overlap_weight=0.5,
    class_weight=10.0,
    extra_examples=10.0,
)
ACTIVITYNET = replace(AUTHORS, boundary_span=2.0)
RULES = {"exact": EXACT, "opentad": OPENTAD, "thumos14": THUMOS14, "activitynet": ACTIVITYNET}
"""By the name of the convention."""


def rules_of(settings: GTADSettings) -> Rules:
    """Those of the convention that settings name."""
    return RULES[settings.convention]
