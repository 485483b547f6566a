"""Documents of the annotation tool ELAN (EAF 3.0): a tier per class."""

from __future__ import annotations

from datetime import UTC, datetime
from mimetypes import guess_type
from xml.etree import ElementTree

from actionformer.core.detections import Detections
from actionformer.core.terminal import visible
from actionformer.formats.cues import milliseconds, tiers_of

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"


def video_text(found: Detections, media: str = "") -> str:
    """An ELAN annotation document (EAF 3.0): a tier per class that occurs, its detections with their scores.

    Within a tier ELAN allows no overlap: of two detections of a class that overlap the later one is in a second tier.

    Args:
        found: the detections.
        media: path or URL of the video, which ELAN opens with it.
    """
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "actionformer",
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": SCHEMA,
        },
    )
    header = ElementTree.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    if media:
        ElementTree.SubElement(
            header, "MEDIA_DESCRIPTOR", {"MEDIA_URL": media, "MIME_TYPE": guess_type(media)[0] or "video/mp4"}
        )
    order = ElementTree.SubElement(root, "TIME_ORDER")
    times: dict[str, int] = {}
    for tier_name, rows in tiers_of(found).items():
        tier = ElementTree.SubElement(root, "TIER", {"LINGUISTIC_TYPE_REF": "action", "TIER_ID": tier_name})
        for start, end, label, score in rows:
            number = len(times) // 2 + 1
            slots = f"ts{2 * number - 1}", f"ts{2 * number}"
            times |= zip(slots, (milliseconds(start), milliseconds(end)), strict=True)
            annotation = ElementTree.SubElement(
                ElementTree.SubElement(tier, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                {"ANNOTATION_ID": f"a{number}", "TIME_SLOT_REF1": slots[0], "TIME_SLOT_REF2": slots[1]},
            )
            ElementTree.SubElement(annotation, "ANNOTATION_VALUE").text = f"{visible(label)} {score:.2f}"
    for slot, time in sorted(times.items(), key=lambda item: item[1]):
        ElementTree.SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": slot, "TIME_VALUE": str(time)})
    ElementTree.SubElement(
        root,
        "LINGUISTIC_TYPE",
        {"LINGUISTIC_TYPE_ID": "action", "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"},
    )
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
