"""What published implementations of BMN do in different ways, and what they do by mistake.

A step is a feature. The segment with first step i and last step j is a cell of the map.
"""

from __future__ import annotations

from dataclasses import dataclass

from actionformer.detectors.bmn.settings import BMNSettings


@dataclass(frozen=True)
class Rules:
    """How the map is laid out, sampled, taught and read."""

    by_last: bool = False
    """The map is (first step, last step); otherwise (length, first step)."""
    starts_before: bool = True
    """A step begins half a step before its feature; otherwise at it. Of resized sequences it always does."""
    extra_length: float = 0.0
    """Added to a segment's length before half of it is sampled on either side."""
    sampled_before: float = 0.5
    """Steps from the first feature back to where a segment begins for sampling."""
    sampled_after: float = 0.5
    """Steps from the last feature on to where a segment ends for sampling."""
    boundary_offset: float = 0.0
    """Steps from where a step begins to where it begins when its share of a boundary is measured."""
    whole_steps: bool = False
    """Only steps that lie around a boundary as a whole are positive; otherwise those of which more than half does."""
    end_step: int = 0
    """Steps from a segment's last one to the one whose probability of an end is the segment's."""
    empty_is_low: bool = True
    """Cells that overlap no action are drawn from with those of little overlap; otherwise left out."""
    squared: bool = False
    """A cell that is drawn n times counts n * n times; otherwise n times."""
    log_offset: float = 0.0
    """Added to probabilities before their logarithm is taken."""
    best_is_positive: bool = True
    """The cell nearest to an action is positive, however little the two overlap."""
    published: bool = False
    """What both publications do by mistake. What lies up to a step before the first feature counts as the first. Cells
    at padding count. Where few cells are to be drawn from, all of the map are drawn."""


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
    log_offset=1e-6,
    best_is_positive=False,
    published=True,
)
RULES = {"exact": EXACT, "opentad": OPENTAD, "jjboy": JJBOY}
"""By the name of the convention."""


def rules_of(settings: BMNSettings) -> Rules:
    """Those of the convention that settings name."""
    return RULES[settings.convention]
