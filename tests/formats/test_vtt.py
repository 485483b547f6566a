from actionformer import Detections
from actionformer.formats.document import Document
from actionformer.formats.vtt import holds_labels, read_labels, video_text


def test_webvtt(found: Detections) -> None:
    assert video_text(found[:1]) == "WEBVTT\n\n01:01:01.500 --> 01:01:02.000\ndive 0.90\n"
    assert "jump &amp; run 0.50" in video_text(found)
    assert video_text(found[:0]) == "WEBVTT\n"


def test_names_break_no_cue(hostile: Detections) -> None:
    text = video_text(hostile)
    assert [len(cue.strip("\n").splitlines()) for cue in text.split("\n\n")] == [1] + [2] * len(hostile)
    assert text.count("-->") == len(hostile)


def test_where_nothing_was_found_there_are_no_cues(found: Detections) -> None:
    document = Document("a.vtt", video_text(found[:0]).encode())
    assert holds_labels(document)
    assert not read_labels(document).videos[0].segments
