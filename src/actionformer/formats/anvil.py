"""Labels of Anvil: elements of tracks, in seconds. A track is a layer, and the first attribute of an element its label.

An element of a track that depends on another has the times of those that it refers to.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number

Times = tuple[float, float]
NO_TIME = "an element whose times are not in the file is left out"
NO_ATTRIBUTE = "an element without an attribute: the name of its track is taken as its label"
SEVERAL = "an element with several attributes: the first is its label"


def holds_labels(document: Document) -> bool:
    """Whether it is an annotation with tracks."""
    root = document.xml
    return root is not None and root.tag == "annotation" and root.find("body/track") is not None


def read_labels(document: Document) -> LabelFile:
    """The elements of all tracks."""
    root = document.xml
    assert root is not None
    remarks: list[Remark] = []
    known: dict[str, dict[str, Times]] = {}
    segments: list[LabelledSegment] = []
    for track in root.iterfind("body/track"):
        name = track.get("name", "")
        own = known.setdefault(name, {})
        for element in track.iterfind("el"):
            index = element.get("index", "")
            where = document.where(item=f"track {name!r}, element {index}")
            times = _times(element, known.get(track.get("ref", ""), {}))
            if times is None:
                remarks.append(Remark(NO_TIME, where))
                continue
            own[index] = times
            segments.append(LabelledSegment(*times, _label(element, name, where, remarks), where, name))
    video = root.find("head/video")
    source = video.get("src") if video is not None else None
    named = LabelledVideo(source or document.stem, segments, other_names=[document.stem], complete=not remarks)
    return LabelFile([named], remarks)


def _times(element: Element, referred: Mapping[str, Times]) -> Times | None:
    """Its own, that of a point, or from the first to the last that it refers to."""
    start, end = element.get("start"), element.get("end")
    if referred:
        first, last = (referred.get(one or "") for one in (element.get("ref", start), element.get("ref", end)))
        return (first[0], last[1]) if first and last else None
    moment = number(element.get("time"))
    times = number(start), number(end)
    if times[0] is None or times[1] is None:
        return None if moment is None else (moment, moment)
    return times[0], times[1]


def _label(element: Element, track: str, where: str, remarks: list[Remark]) -> str:
    values = [" ".join((one.text or "").split()) for one in element.iterfind("attribute")]
    values = [value for value in values if value]
    if len(values) != 1:
        remarks.append(Remark(SEVERAL if values else NO_ATTRIBUTE, where))
    return values[0] if values else track
