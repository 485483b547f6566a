"""How large the network is, from how much it can learn from."""

from __future__ import annotations

from actionformer.advice.draft import Draft
from actionformer.core.words import plural

WIDTHS = {2_000: 128, 10_000: 256}
"""Up to so many actions -> channels."""
WIDEST = 512
"""Channels for more actions; those of the published models."""
FEW = 2_000
"""Actions up to which a network learns single ones by heart."""
DROPOUT = 0.1


def add_network(draft: Draft) -> None:
    """Channels, and dropout where there are few actions."""
    actions = len(draft.facts.steps)
    width = next((width for most, width in WIDTHS.items() if actions <= most), WIDEST)
    draft.set("model.width", width, f"{plural(actions, 'action')} to learn from; {_larger(width)}")
    if actions <= FEW:
        draft.set("model.dropout", DROPOUT, "few actions: keeps the network from learning them by heart")


def _larger(width: int) -> str:
    return "as published models have" if width == WIDEST else "more channels train slower and need more actions"


def add_usual(draft: Draft) -> None:
    """What a detector is trained with where that differs from what the other rules say."""
    for section, settings in draft.network.USUAL.items():
        for setting, value in settings.items():
            draft.set(f"{section}.{setting}", value, f"what {draft['model.detector']} is used with, whatever the data")
