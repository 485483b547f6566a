"""What published detectors with a map of segments do in different ways, and what they do by mistake.

A step is a feature. The segment with first step i and last step j is a cell of the map.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    boundary_span: float = 1.0
    """Steps over which a step's share of a boundary is measured, and by which it is divided."""
    map_offset: float = 0.0
    """Steps by which actions are later on the map than they are, where they are cut to the sequence again."""
    whole_steps: bool = False
    """Only steps that lie around a boundary as a whole are positive; otherwise those of which more than half does."""
    end_step: int = 0
    """Steps from a segment's last one to the one whose probability of an end is the segment's."""
    too_long: int | None = None
    """Segments of so many steps or more are not found."""
    empty_is_low: bool = True
    """Cells that overlap no action are drawn from with those of little overlap; otherwise left out."""
    squared: bool = False
    """A cell that is drawn n times counts n * n times; otherwise n times."""
    draws_anywhere: bool = False
    """Published: where few cells are to be drawn from, also places of the map that are no segment."""
    overlap_weight: float = 5.0
    """Of the squared error of overlaps in the loss."""
    class_weight: float = 1.0
    """Of the cross-entropy of classes in the loss."""
    extra_examples: float = 0.0
    """Cells that the balance of classes counts as positive, and as negative, besides those that are."""
    log_offset: float = 0.0
    """Added to probabilities before their logarithm is taken."""
    published: bool = False
    """What all publications do by mistake. A cell is positive by its overlap alone, not if it is the nearest to an
    action. Cells at padding count, and neighbours of features may be padding. Where few
    cells are to be drawn from, all of the map are drawn. BMN: what lies up to a step before the first feature counts as
    the first."""
    half_precision: bool = False
    """Features are rounded to half precision before segments are sampled."""


AS_AUTHORS = Rules(
    sampled_before=0.0,
    sampled_after=0.0,
    boundary_offset=-0.5,
    end_step=1,
    empty_is_low=False,
    squared=True,
    draws_anywhere=True,
    log_offset=1e-6,
    published=True,
)
"""What the code that came with the papers has in common."""
AS_TOOLBOX = Rules(starts_before=False, sampled_before=0.0, sampled_after=0.0, whole_steps=True, published=True)
"""What both have in common in the toolbox that trains them on other features."""
