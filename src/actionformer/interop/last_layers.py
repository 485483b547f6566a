"""Last layers of published networks, cut as ours are."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

CLASSES = {"background": slice(1), "classes": slice(1, None)}
"""A layer of a row for the background and one for each class."""


def cut(
    weights: Mapping[str, Tensor], name: str, parts: Mapping[str, slice], *, rows: int | None = None
) -> dict[str, Tensor]:
    """A layer as one for each of its parts, which are some of its rows; left out unless it has `rows`, if given."""
    found = dict(weights)
    for kind in ("weight", "bias"):
        whole = found.pop(f"{name}.{kind}", None)
        if whole is not None and rows in (None, len(whole)):
            found |= {f"{name}.{part}.{kind}": whole[own] for part, own in parts.items()}
    return found


def parted(weights: dict[str, Tensor], name: str, parts: tuple[str, str]) -> dict[str, Tensor]:
    """A last convolution of two outputs as one convolution for each."""
    return cut(weights, name, {part: slice(row, row + 1) for row, part in enumerate(parts)}, rows=len(parts))
