"""What published implementations of BMN do in different ways, and what they do by mistake."""

from __future__ import annotations

from dataclasses import replace

from actionformer.detectors.bmn.settings import BMNSettings
from actionformer.nn.segment_map.rules import AS_AUTHORS, AS_TOOLBOX, Rules

EXACT = Rules()
OPENTAD = AS_TOOLBOX
JJBOY = replace(AS_AUTHORS, by_last=True, extra_length=1.0, sampled_after=1.0)
RULES = {"exact": EXACT, "opentad": OPENTAD, "jjboy": JJBOY}
"""By the name of the convention."""


def rules_of(settings: BMNSettings) -> Rules:
    """Those of the convention that settings name."""
    return RULES[settings.convention]
