"""XML of CVAT, worked by hand."""

from xml.etree import ElementTree

import pytest

from actionformer import Detections, InputError
from actionformer.formats.cvat import holds_labels, read_labels, video_text
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile

TRACKS = """<annotations><meta><task><name>t</name><frame_filter>{filter}</frame_filter></task>
<source>dir/v.mp4</source></meta>
<track id="0" label="jump">
<box frame="10" outside="0"/><box frame="16" outside="1"/><box frame="19" outside="0"/></track>
<track id="1" label="run"><box frame="4" outside="1"/><box frame="7" outside="0" keyframe="0"/></track></annotations>"""
TAGS = """<annotations><meta/><image id="2" name="f2"><tag label="a"/></image><image id="1" name="f1"><tag label="a"/>
<tag label="b"/></image><image id="5" name="f5"><tag label="a"/></image></annotations>"""


def read(text: str) -> LabelFile:
    document = Document("film.xml", text.encode())
    assert holds_labels(document)
    return read_labels(document)


@pytest.mark.parametrize(("filter_", "step"), [("", 1), ("step=3", 3)])
def test_tracks_last_until_they_are_outside(filter_: str, step: int) -> None:
    found = read(TRACKS.format(filter=filter_))
    (video,) = found.videos
    assert (video.name, video.unit, video.fps) == ("dir/v.mp4", "frames", None)
    assert [(one.start, one.end, one.label) for one in video.segments] == [
        (10, 16, "jump"),
        (19, 19 + step, "jump"),
        (7, 7 + step, "run"),
    ]
    assert [one.where for one in found.remarks] == ["film.xml: track 0", "film.xml: track 1"]


def test_runs_of_tags() -> None:
    (video,) = read(TAGS).videos
    assert video.name == "film"
    assert sorted((one.start, one.end, one.label) for one in video.segments) == [(1, 2, "b"), (1, 3, "a"), (5, 6, "a")]


def test_what_is_written_ends_within_the_video() -> None:
    found = Detections([[0.5, 1.0], [9.9, 12.0], [13.0, 14.0]], [0.9, 0.8, 0.7], [0, 0, 0], ("jump & run",))
    root = ElementTree.fromstring(video_text(found, fps=10.0, duration=10.0))
    frames = [[(box.get("frame"), box.get("outside")) for box in track] for track in root.iterfind("track")]
    assert frames == [[("5", "0"), ("10", "1")], *2 * [[("98", "0"), ("99", "1")]]]  # the last frame is 99
    assert root.findtext("meta/task/labels/label/name") == root.find("track").get("label") == "jump & run"
    box = root.find("track/box").attrib
    assert {"xtl", "ytl", "xbr", "ybr", "occluded", "keyframe", "z_order"} <= box.keys()


def test_frames_need_a_rate() -> None:
    with pytest.raises(InputError, match=r"file:///a\.mp4: CVAT counts frames, .* give the video, or --fps"):
        video_text(Detections([], [], [], ("a",)), "file:///a.mp4")


def test_where_nothing_was_found_there_are_no_tracks() -> None:
    text = "<annotations><version>1.1</version><meta><task/></meta></annotations>"
    assert holds_labels(Document("a.xml", text.encode()))
    assert not holds_labels(Document("a.xml", text.replace("</meta>", "</meta><image/>").encode()))
    assert not holds_labels(Document("a.xml", b"<annotations><version>1.1</version></annotations>"))
