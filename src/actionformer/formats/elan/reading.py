"""Labels of ELAN documents (EAF 2.3 to 3.0): a layer per tier.

An annotation without times of its own has those of the one it belongs to, or its share of them. A time that was never
set lies between its neighbours. Annotations without text are called as their tier is, where none in the tier has text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from actionformer.core.errors import InputError
from actionformer.formats.document import Document
from actionformer.formats.elan.spans import Span, Spans
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark

_SCORE = re.compile(r" [01]\.\d\d$")
"""What is written after the label of a detection."""
UNNAMED = "annotations of a tier without any text: the name of the tier is taken as their label"
EMPTY = "an annotation without text is left out"


def holds_labels(document: Document) -> bool:
    """Whether it is an annotation document."""
    return document.xml is not None and document.xml.tag == "ANNOTATION_DOCUMENT"


def read_labels(document: Document) -> LabelFile:
    """The annotations of all tiers.

    Raises:
        InputError: times in another unit than milliseconds.
    """
    assert document.xml is not None
    unit = document.xml.find("HEADER")
    if unit is not None and unit.get("TIME_UNITS", "milliseconds") != "milliseconds":
        raise InputError(f"{document.path}: counts time in {unit.get('TIME_UNITS')}: expected milliseconds")
    remarks: list[Remark] = []
    names, origin = _media(document)
    segments = [
        LabelledSegment((start + origin) / 1000, (end + origin) / 1000, label, where, tier)
        for start, end, label, where, tier in _annotations(document, remarks)
    ]
    return LabelFile([LabelledVideo(names[0], segments, other_names=names[1:], complete=not remarks)], remarks)


def _media(document: Document) -> tuple[list[str], int]:
    """What the recording may be called, most likely first, and where its time 0 lies in the first, ms."""
    assert document.xml is not None
    media = document.xml.findall("HEADER/MEDIA_DESCRIPTOR")
    media.sort(
        key=lambda one: (one.get("EXTRACTED_FROM") is not None, not one.get("MIME_TYPE", "").startswith("video"))
    )
    named = [one.get("MEDIA_URL") or one.get("RELATIVE_MEDIA_URL") or "" for one in media]
    origin = media[0].get("TIME_ORIGIN", "0") if media else "0"
    return [*filter(None, named), document.stem], int(origin) if origin.lstrip("-").isdecimal() else 0


def _annotations(document: Document, remarks: list[Remark]) -> Iterator[tuple[float, float, str, str, str]]:
    """Start and end in ms, label, place and tier of every annotation that has a label."""
    root = document.xml
    assert root is not None
    spans, vocabularies, ours = Spans(root), _vocabularies(root), root.get("AUTHOR") == "actionformer"
    for tier in root.iterfind("TIER"):
        entries = vocabularies.get(tier.get("LINGUISTIC_TYPE_REF", ""), {})
        rows = [(one, _label(one, entries, ours)) for one in tier.iterfind("ANNOTATION/*")]
        name = tier.get("TIER_ID", "")
        unnamed = bool(rows) and not any(label for _, label in rows)
        if unnamed:
            remarks.append(Remark(UNNAMED, document.where(item=f"tier {name!r}")))
        for annotation, label in rows:
            id_ = annotation.get("ANNOTATION_ID", "")
            where = document.where(item=f"tier {name!r}, annotation {id_}")
            span: Span | None = spans.of(id_)
            if span is None:
                remarks.append(Remark("an annotation whose times are not in the document is left out", where))
            elif label or unnamed:
                yield *span, label or name, where, name
            else:
                remarks.append(Remark(EMPTY, where))


def _label(annotation: Element, entries: dict[str, list[str]], ours: bool) -> str:
    """The text; where it is an entry of a vocabulary, as that has it."""
    text = _plain(annotation.findtext("ANNOTATION_VALUE"))
    entry = entries.get(annotation.get("CVE_REF", ""), [])
    label = text if text in entry or not entry else entry[0]
    return _SCORE.sub("", label) if ours else label


def _vocabularies(root: Element) -> dict[str, dict[str, list[str]]]:
    """Type of tier -> id of an entry -> its text in each language."""
    vocabularies = {
        vocabulary.get("CV_ID", ""): {
            entry.get("CVE_ID", ""): [_plain(value.text) for value in (entry.findall("CVE_VALUE") or [entry])]
            for entry in (*vocabulary.iterfind("CV_ENTRY_ML"), *vocabulary.iterfind("CV_ENTRY"))
        }
        for vocabulary in root.iterfind("CONTROLLED_VOCABULARY")
    }
    return {
        one.get("LINGUISTIC_TYPE_ID", ""): vocabularies.get(one.get("CONTROLLED_VOCABULARY_REF", ""), {})
        for one in root.iterfind("LINGUISTIC_TYPE")
    }


def _plain(text: str | None) -> str:
    """A text on one line."""
    return " ".join((text or "").split())
