"""When the annotations of an ELAN document begin and end."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

Span = tuple[float, float]
"""Start and end, milliseconds."""


class Spans:
    """Start and end of every annotation of a document.

    Args:
        root: of the document.
    """

    def __init__(self, root: Element) -> None:
        slots = _slots(root.iterfind("TIME_ORDER/TIME_SLOT"))
        self._parents: dict[str, str] = {}
        self._shares: dict[str, tuple[int, int]] = {}
        self._spans: dict[str, Span] = {}
        for one in root.iterfind("TIER/ANNOTATION/ALIGNABLE_ANNOTATION"):
            first, last = (slots.get(one.get(f"TIME_SLOT_REF{i}", "")) for i in (1, 2))
            if first is not None and last is not None:
                self._spans[one.get("ANNOTATION_ID", "")] = first, last
        shared = {
            one.get("LINGUISTIC_TYPE_ID")
            for one in root.iterfind("LINGUISTIC_TYPE")
            if one.get("CONSTRAINTS") == "Symbolic_Subdivision"
        }
        for tier in root.iterfind("TIER"):
            self._note_references(tier, shared=tier.get("LINGUISTIC_TYPE_REF") in shared)

    def of(self, id_: str) -> Span | None:
        """Of an annotation; None if the document does not say."""
        way: list[str] = []
        while id_ in self._parents and id_ not in way:
            way.append(id_)
            id_ = self._parents[id_]
        span = self._spans.get(id_)
        for child in reversed(way if span else ()):
            assert span is not None
            place, count = self._shares[child]
            step = (span[1] - span[0]) / count
            span = span[0] + place * step, span[0] + (place + 1) * step
        return span

    def _note_references(self, tier: Element, *, shared: bool) -> None:
        """Annotations that belong to others; where `shared`, those of one divide its time."""
        children: dict[str, list[Element]] = {}
        for one in tier.iterfind("ANNOTATION/REF_ANNOTATION"):
            children.setdefault(one.get("ANNOTATION_REF", ""), []).append(one)
        for parent, group in children.items():
            divided = shared or any(one.get("PREVIOUS_ANNOTATION") for one in group)
            for place, id_ in enumerate(_chain(group)):
                self._parents[id_] = parent
                self._shares[id_] = (place, len(group)) if divided else (0, 1)


def _slots(slots: Iterable[Element]) -> dict[str, float]:
    """Time slot -> milliseconds; those without a time divide that between their neighbours in the document evenly."""
    times: dict[str, float] = {}
    waiting: list[str] = []
    last: float | None = None
    for slot in slots:
        waiting.append(slot.get("TIME_SLOT_ID", ""))
        if (stated := slot.get("TIME_VALUE")) is not None:
            time = float(stated)
            first = time if last is None else last
            times |= {id_: first + (time - first) * i / len(waiting) for i, id_ in enumerate(waiting, 1)}
            waiting, last = [], time
    return times if last is None else times | dict.fromkeys(waiting, last)


def _chain(group: Iterable[Element]) -> list[str]:
    """Ids in the order in which each names the one before it."""
    group = list(group)
    after = {one.get("PREVIOUS_ANNOTATION"): one.get("ANNOTATION_ID", "") for one in group}
    ids = [one.get("ANNOTATION_ID", "") for one in group]
    chain, last = [], after.get(None)
    while last is not None and last not in chain:
        chain.append(last)
        last = after.get(last)
    return chain if len(chain) == len(ids) else ids
