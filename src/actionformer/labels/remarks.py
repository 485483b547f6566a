"""Remarks on label files: those with the same words are told once, with a count and the first place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actionformer.formats.labels import Remark


def told(remarks: Iterable[Remark]) -> Iterator[str]:
    """A line for each that says something else, in the order in which they come."""
    places: dict[str, list[str]] = {}
    for remark in remarks:
        places.setdefault(remark.what, []).append(remark.where)
    for what, where in places.items():
        more = f" ({len(where)} of these, this is the first)" if len(where) > 1 else ""
        yield f"{where[0]}: {what}{more}" if where[0] else f"{what}{more}"
