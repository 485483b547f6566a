from xml.etree import ElementTree

import numpy as np
import pytest

from actionformer import Detections
from actionformer.timelines import eaf, srt, vtt


@pytest.fixture
def found() -> Detections:
    return Detections(
        segments=np.array([[3661.5, 3662.0], [1.0, 2.25], [2.0, 3.0]]),
        scores=np.array([0.9, 0.5, 0.25]),
        labels=np.array([1, 0, 0]),
        class_names=("jump & run", "dive"),
    )


def test_subrip(found: Detections) -> None:
    assert srt(found) == (
        "1\n00:00:01,000 --> 00:00:02,250\njump & run 0.50\n\n"
        "2\n00:00:02,000 --> 00:00:03,000\njump & run 0.25\n\n"
        "3\n01:01:01,500 --> 01:01:02,000\ndive 0.90\n"
    )
    assert srt(found[:0]) == ""


def test_webvtt(found: Detections) -> None:
    assert vtt(found[:1]) == "WEBVTT\n\n01:01:01.500 --> 01:01:02.000\ndive 0.90\n"
    assert "jump &amp; run 0.50" in vtt(found)
    assert vtt(found[:0]) == "WEBVTT\n"


def test_times_are_rounded_to_milliseconds() -> None:
    almost = Detections(np.array([[59.9996, 3599.9999]]), np.array([1.0]), np.array([0]), ("a",))
    assert "00:01:00,000 --> 01:00:00,000" in srt(almost)


def test_elan(found: Detections) -> None:
    root = ElementTree.fromstring(eaf(found, "file:///videos/a.mp4"))
    assert root.find("HEADER/MEDIA_DESCRIPTOR").attrib == {
        "MEDIA_URL": "file:///videos/a.mp4",
        "MIME_TYPE": "video/mp4",
    }
    times = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")}
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
    root = ElementTree.fromstring(eaf(found[:0]))
    assert root.find("HEADER/MEDIA_DESCRIPTOR") is None
    assert list(root.iter("TIER")) == []


def one_after_another(*labels: str) -> Detections:
    n = len(labels)
    times = 2.0 * np.arange(n)
    return Detections(np.stack((times, times + 1.0), axis=1), np.full(n, 0.5), np.arange(n), labels)


HOSTILE = (
    "a\n\nb",
    "a\r1\r\n00:00:01,000 --> 00:00:02,000",
    "\x1b[31m\x00\x0b",
    "\u2028\x85",
    "\ufffe",
    "<i>x</i>",
    "{\\an8}y",
)


def test_names_break_no_cue() -> None:
    text = srt(one_after_another(*HOSTILE))
    cues = text.split("\n\n")
    assert [len(cue.strip("\n").splitlines()) for cue in cues] == [3] * len(HOSTILE)
    assert text.count("-->") == len(HOSTILE)
    assert r"a\n\nb 0.50" in text
    assert "<i>" not in text
    assert "</i>" not in text
    assert "{\\" not in text
    assert text.replace("\u2060", "").count("<i>x</i> 0.50") == 1  # it reads as it is
    text = vtt(one_after_another(*HOSTILE))
    assert [len(cue.strip("\n").splitlines()) for cue in text.split("\n\n")] == [1] + [2] * len(HOSTILE)
    assert text.count("-->") == len(HOSTILE)
    assert "walk [left] <quickly> -> 0.50" in srt(one_after_another("walk [left] <quickly> ->"))


def test_elan_takes_every_name() -> None:
    root = ElementTree.fromstring(eaf(one_after_another(*HOSTILE)))
    assert {tier.get("TIER_ID") for tier in root.iter("TIER")} >= {r"a\n\nb", r"\ufffe", "<i>x</i>"}
    assert len(list(root.iter("ALIGNABLE_ANNOTATION"))) == len(HOSTILE)


def test_labels_that_read_alike_have_tiers_of_their_own() -> None:
    found = Detections(
        np.array([[0.0, 2.0], [1.0, 3.0], [4.0, 5.0], [6.0, 7.0], [8.0, 9.0]]),
        np.full(5, 0.5),
        np.array([0, 0, 1, 2, 3]),
        ("jump", "jump (2)", "a\n", "a\\n"),
    )
    root = ElementTree.fromstring(eaf(found))
    tiers = {tier.get("TIER_ID"): len(list(tier)) for tier in root.iter("TIER")}
    assert tiers == {"jump": 1, "jump (3)": 1, "jump (2)": 1, r"a\n": 1, r"a\n (2)": 1}
