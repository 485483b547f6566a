"""Labels of the annotation tool CVAT: XML 1.1 "for video" with tracks, or "for images" with tags.

A track is an action from the frame on where it is shown until that where it is outside; without one it ends a step
after its last row. Frames are those of the video, from 0; the file says no rate. Of images, a run of frames with the
same tag is an action.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark

NO_END = "a track that is never outside: it is taken to end a step after its last frame"


def holds_labels(document: Document) -> bool:
    """Whether it has tracks, images with tags, or nothing but what it is of."""
    root = document.xml
    if root is None or root.tag != "annotations":
        return False
    is_empty = root.find("meta") is not None and root.find("image") is None
    return is_empty or root.find("track") is not None or _has_tags(root)


def _has_tags(root: Element) -> bool:
    return root.find("image/tag") is not None


def read_labels(document: Document) -> LabelFile:
    """The actions of all tracks, or the runs of tags."""
    root = document.xml
    assert root is not None
    remarks: list[Remark] = []
    found = _tagged(root, document) if root.find("track") is None else _tracked(root, document, remarks)
    return LabelFile([LabelledVideo(_video(root, document), list(found), "frames")], remarks)


def _video(root: Element, document: Document) -> str:
    """The file, where newer versions name it, else the task, else what the document is called."""
    source = root.findtext("meta/source") or root.findtext(".//meta//source")
    task = next((name for tag in ("task", "job") if (name := root.findtext(f".//meta//{tag}/name"))), None)
    return (source or task or document.stem).strip()


def _step(root: Element) -> int:
    """Frames from one that was labelled to the next."""
    found = re.search(r"step\s*=\s*(\d+)", root.findtext(".//meta//frame_filter") or "")
    return max(int(found[1]), 1) if found else 1


def _tracked(root: Element, document: Document, remarks: list[Remark]) -> Iterator[LabelledSegment]:
    step = _step(root)
    for track in root.iterfind("track"):
        label, id_ = track.get("label", ""), track.get("id", "")
        where = document.where(item=f"track {id_}")
        rows = sorted((int(one.get("frame", "0")), one.get("outside") == "1") for one in track if one.get("frame"))
        start: int | None = None
        for frame, outside in rows:
            if outside and start is not None:
                yield LabelledSegment(start, frame, label, where, f"track {id_}")
                start = None
            elif not outside and start is None:
                start = frame
        if start is not None:
            remarks.append(Remark(NO_END, where))
            yield LabelledSegment(start, rows[-1][0] + step, label, where, f"track {id_}")


def _tagged(root: Element, document: Document) -> Iterator[LabelledSegment]:
    """Runs of frames that follow one another with the same tag."""
    step = _step(root)
    open_: dict[str, tuple[int, int]] = {}
    for image in sorted(root.iterfind("image"), key=lambda one: int(one.get("id", "0"))):
        frame = int(image.get("id", "0"))
        for label in {tag.get("label", "") for tag in image.iterfind("tag")}:
            start, last = open_.get(label, (frame, frame - step))
            if frame - last > step:
                yield LabelledSegment(start, last + step, label, document.where(item=f"image {start}"))
                start = frame
            open_[label] = start, frame
    for label, (start, last) in open_.items():
        yield LabelledSegment(start, last + step, label, document.where(item=f"image {start}"))
