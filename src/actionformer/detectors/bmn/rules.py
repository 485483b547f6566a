"""What published implementations of BMN do in different ways, and what they do by mistake."""

from __future__ import annotations

from actionformer.detectors.bmn.settings import BMNSettings
from actionformer.nn.segment_map.rules import Rules

EXACT = Rules()
OPENTAD = Rules(
    starts_before=False,
    sampled_before=0.0,
    sampled_after=0.0,
    whole_steps=True,
    best_is_positive=False,
    published=True,
)
JJBOY = Rules(
    by_last=True,
    extra_length=1.0,
    sampled_before=0.0,
    sampled_after=1.0,
    boundary_offset=-0.5,
    end_step=1,
    empty_is_low=False,
    squared=True,
    draws_anywhere=True,
    log_offset=1e-6,
    best_is_positive=False,
    published=True,
)
RULES = {"exact": EXACT, "opentad": OPENTAD, "jjboy": JJBOY}
"""By the name of the convention."""


def rules_of(settings: BMNSettings) -> Rules:
    """Those of the convention that settings name."""
    return RULES[settings.convention]
