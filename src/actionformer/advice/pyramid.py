"""Levels of the pyramid and what each learns, from the lengths of the actions."""

from __future__ import annotations

import math

import numpy as np

from actionformer.advice.draft import Draft

FEWEST, MOST = 3, 10
"""Levels."""
MOST_BLOCKS = 32
"""More than settings allow; twice as many numbers would take long to compute."""
USUAL = 0.9
"""Share of the actions for which there are levels; the last level learns the longer ones besides."""
FIRST = 4
"""Features, the longest distance to an action's end that level 0 learns; published models have the same."""
FAR = 10_000
"""Features that the last level reaches at least, more than any crop has; published models have the same."""


def add_pyramid(draft: Draft) -> None:
    """As many levels as lengths need, and ranges that double from level to level."""
    if not draft.has("model.regression_ranges"):
        return
    if draft["model.branch_blocks"] > MOST_BLOCKS:
        raise ValueError("more blocks than settings allow")
    usual, longest = np.quantile(draft.facts.steps, USUAL), draft.facts.steps.max()
    if draft.is_given("model.regression_ranges"):
        _add_blocks(draft, _given_levels(draft), "as many levels as model.regression_ranges has")
        return
    _add_blocks(draft, *_levels(draft, usual, longest))
    ranges = _ranges(_strides(draft), longest)
    draft.set(
        "model.regression_ranges", ranges, f"doubling per level; the last reaches the longest, {longest:.0f} features"
    )


def _add_blocks(draft: Draft, levels: int, reason: str) -> None:
    """As many blocks as make so many levels."""
    beside = len(_strides(draft)) - draft["model.branch_blocks"]
    draft.set("model.branch_blocks", max(levels - beside, 0), reason)


def _levels(draft: Draft, usual: float, longest: float) -> tuple[int, str]:
    """Levels of which the last, L, begins at 2^L features, which is half of the usual length or more; and why."""
    actions = f"{USUAL:.0%} of the actions last up to {usual:.0f} features"
    levels = math.ceil(math.log2(max(usual / 2, 1)))
    reason = f"{actions}: the last level begins at half of that, or above"
    if draft.has("model.boundary") and draft["model.boundary"] == "trident":  # reaches as many strides as it has bins
        bins = draft["model.boundary_bins"]
        reaching = 1 + math.ceil(math.log2(max(longest / bins, 1)))
        if reaching > levels:
            levels = reaching
            reason = f"the {bins} bins of the last level reach the longest action, {longest:.0f} features"
    seen = [draft.facts.lengths.max(), draft["data.window"]]
    seen += [draft["model.max_length"]] * draft.is_given("model.max_length")
    length = max(min(filter(None, seen)), 2)
    fitting = int(math.log2(length))  # a level of one moment says nothing
    for most, why in ((fitting, f"{length:.0f} features have no more"), (MOST, f"{MOST} are the most")):
        if levels > most:
            levels, reason = most, f"{why}, though {actions}"
    return (FEWEST, f"{FEWEST} are the fewest; {actions}") if levels < FEWEST else (levels, reason)


def _given_levels(draft: Draft) -> int:
    ranges = draft["model.regression_ranges"]
    return len(ranges) if isinstance(ranges[0], list | tuple) else len(ranges) // 2


def _strides(draft: Draft) -> tuple[int, ...]:
    """Features between the moments of each level, as the detector makes its levels."""
    strides: tuple[int, ...] = draft.network.strides
    return strides


def _ranges(strides: tuple[int, ...], longest: float) -> list[list[int]]:
    """For each level the distances to an action's further end that it learns: from 2 to 4 of its strides."""
    ends = [FIRST * stride for stride in strides]
    ranges = [[end // 2 if level else 0, end] for level, end in enumerate(ends)]
    if len(set(strides)) < len(strides):  # levels of one stride learn the same
        ranges = [[0 if stride == 1 else end // 2, end] for stride, end in zip(strides, ends, strict=True)]
    ranges[-1][1] = max(FAR, math.ceil(2 * longest))
    return ranges
