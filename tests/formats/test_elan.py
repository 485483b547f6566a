from xml.etree import ElementTree

import numpy as np

from actionformer import Detections
from actionformer.formats.elan import video_text


def test_elan(found: Detections) -> None:
    root = ElementTree.fromstring(video_text(found, "file:///videos/a.mp4"))
    assert root.find("HEADER/MEDIA_DESCRIPTOR").attrib == {
        "MEDIA_URL": "file:///videos/a.mp4",
        "MIME_TYPE": "video/mp4",
    }
    times = {slot.get("TIME_SLOT_ID"): int(slot.attrib["TIME_VALUE"]) for slot in root.iter("TIME_SLOT")}
    tiers = {
        tier.get("TIER_ID"): [
            (times[one.get("TIME_SLOT_REF1")], times[one.get("TIME_SLOT_REF2")], one.findtext("ANNOTATION_VALUE"))
            for one in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        for tier in root.iter("TIER")
    }
    assert tiers == {
        "dive": [(3661500, 3662000, "dive 0.90")],
        "jump & run": [(1000, 2250, "jump & run 0.50")],
        "jump & run (2)": [(2000, 3000, "jump & run 0.25")],  # ELAN allows no overlap within a tier
    }
    types = {kind.get("LINGUISTIC_TYPE_ID") for kind in root.iter("LINGUISTIC_TYPE")}
    assert {tier.get("LINGUISTIC_TYPE_REF") for tier in root.iter("TIER")} == types
    ids = [one.get("ANNOTATION_ID") for one in root.iter("ALIGNABLE_ANNOTATION")]
    assert len(set(ids)) == 3


def test_elan_of_nothing(found: Detections) -> None:
    root = ElementTree.fromstring(video_text(found[:0]))
    assert root.find("HEADER/MEDIA_DESCRIPTOR") is None
    assert list(root.iter("TIER")) == []


def test_elan_takes_every_name(hostile: Detections) -> None:
    root = ElementTree.fromstring(video_text(hostile))
    assert {tier.get("TIER_ID") for tier in root.iter("TIER")} >= {r"a\n\nb", r"\ufffe", "<i>x</i>"}
    assert len(list(root.iter("ALIGNABLE_ANNOTATION"))) == len(hostile)


def test_labels_that_read_alike_have_tiers_of_their_own() -> None:
    found = Detections(
        np.array([[0.0, 2.0], [1.0, 3.0], [4.0, 5.0], [6.0, 7.0], [8.0, 9.0]]),
        np.full(5, 0.5),
        np.array([0, 0, 1, 2, 3]),
        ("jump", "jump (2)", "a\n", "a\\n"),
    )
    root = ElementTree.fromstring(video_text(found))
    tiers = {tier.get("TIER_ID"): len(list(tier)) for tier in root.iter("TIER")}
    assert tiers == {"jump": 1, "jump (3)": 1, "jump (2)": 1, r"a\n": 1, r"a\n (2)": 1}
