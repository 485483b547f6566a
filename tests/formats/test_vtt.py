from actionformer import Detections
from actionformer.formats.vtt import video_text


def test_webvtt(found: Detections) -> None:
    assert video_text(found[:1]) == "WEBVTT\n\n01:01:01.500 --> 01:01:02.000\ndive 0.90\n"
    assert "jump &amp; run 0.50" in video_text(found)
    assert video_text(found[:0]) == "WEBVTT\n"


def test_names_break_no_cue(hostile: Detections) -> None:
    text = video_text(hostile)
    assert [len(cue.strip("\n").splitlines()) for cue in text.split("\n\n")] == [1] + [2] * len(hostile)
    assert text.count("-->") == len(hostile)
