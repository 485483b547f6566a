import numpy as np

from actionformer import Detections
from actionformer.formats.srt import video_text


def test_subrip(found: Detections) -> None:
    assert video_text(found) == (
        "1\n00:00:01,000 --> 00:00:02,250\njump & run 0.50\n\n"
        "2\n00:00:02,000 --> 00:00:03,000\njump & run 0.25\n\n"
        "3\n01:01:01,500 --> 01:01:02,000\ndive 0.90\n"
    )
    assert video_text(found[:0]) == ""


def test_times_are_rounded_to_milliseconds() -> None:
    almost = Detections(np.array([[59.9996, 3599.9999]]), np.array([1.0]), np.array([0]), ("a",))
    assert "00:01:00,000 --> 01:00:00,000" in video_text(almost)


def test_names_break_no_cue(hostile: Detections) -> None:
    text = video_text(hostile)
    cues = text.split("\n\n")
    assert [len(cue.strip("\n").splitlines()) for cue in cues] == [3] * len(hostile)
    assert text.count("-->") == len(hostile)
    assert r"a\n\nb 0.50" in text
    assert "<i>" not in text
    assert "</i>" not in text
    assert "{\\" not in text
    assert text.replace("\u2060", "").count("<i>x</i> 0.50") == 1  # it reads as it is
    assert "walk [left] <quickly> -> 0.50" in video_text(
        Detections([[0.0, 1.0]], [0.5], [0], ("walk [left] <quickly> ->",))
    )
