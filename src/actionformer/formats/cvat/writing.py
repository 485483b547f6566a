"""Detections as annotations of CVAT ("CVAT for video 1.1"): a track per action, which ends where it is outside.

CVAT counts frames from 0 and has no actions without a place in the picture, so every track has a box in its upper left
corner. The task needs labels of these names before the file is uploaded.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from actionformer.core.detections import Detections, in_time
from actionformer.core.errors import InputError
from actionformer.core.terminal import visible

CORNER = {"xtl": "0.00", "ytl": "0.00", "xbr": "64.00", "ybr": "24.00"}
"""Pixels."""


def video_text(found: Detections, media: str = "", fps: float | None = None, duration: float | None = None) -> str:
    """The annotations of one task.

    Args:
        found: the detections.
        media: path or URL of the video.
        fps: frames per second of the video.
        duration: seconds that it lasts, if that is known: CVAT takes no frame beyond.

    Raises:
        InputError: a rate that is not known.
    """
    if fps is None:
        where = f"{media}: " if media else ""
        raise InputError(
            f"{where}CVAT counts frames, and nothing says how many a second the video has: give the video, or --fps"
        )
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    meta = ElementTree.SubElement(root, "meta")
    labels = ElementTree.SubElement(ElementTree.SubElement(meta, "task"), "labels")
    rows = in_time(found.to_dict())
    for name in sorted({visible(row["label"]) for row in rows}):
        ElementTree.SubElement(ElementTree.SubElement(labels, "label"), "name").text = name
    if media:
        ElementTree.SubElement(meta, "source").text = PurePosixPath(unquote(urlsplit(media).path)).name
    last = round(duration * fps) - 1 if duration else None
    for number, row in enumerate(rows):
        label = visible(row["label"])
        track = ElementTree.SubElement(root, "track", {"id": str(number), "label": label, "source": "auto"})
        for frame, outside in zip(_frames(row["segment"], fps, last), "01", strict=True):
            ElementTree.SubElement(
                track,
                "box",
                {"frame": str(frame), "keyframe": "1", "outside": outside, "occluded": "0", **CORNER, "z_order": "0"},
            )
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _frames(segment: list[float], fps: float, last: int | None) -> tuple[int, int]:
    """The first frame of an action, and the first that is no longer of it, or the last of the video."""
    first, end = (round(time * fps) for time in segment)
    if last is not None:
        first, end = min(first, max(last - 1, 0)), min(end, last)
    return first, max(end, first + 1)
