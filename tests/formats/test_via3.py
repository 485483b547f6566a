"""Projects and exports of VIA 3, worked by hand."""

import json

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile
from actionformer.formats.rows import VideoRows
from actionformer.formats.via3 import holds_labels, read_labels, results_text

ATTRIBUTES = {
    "1": {"aname": "act", "type": 4, "options": {"0": "jump", "1": "run"}, "default_option_id": "1"},
    "2": {"aname": "who", "type": 1, "options": {}},
    "3": {"aname": "how", "type": 2, "options": {"0": "fast", "1": "high"}},
}
PROJECT = {
    "project": {},
    "attribute": ATTRIBUTES,
    "file": {"7": {"fname": "v.mp4", "type": 4}},
    "view": {"1": {"fid_list": ["7"]}},
    "metadata": {
        "1_a": {"vid": "1", "z": [1.5, 2.5], "xy": [], "av": {"1": "0", "2": "ann"}},
        "1_b": {"vid": "1", "z": [3.0], "xy": [], "av": {"1": "_DEFAULT"}},
        "1_c": {"vid": "1", "z": [], "xy": [], "av": {"1": "0"}},
        "1_d": {"vid": "1", "z": [4, 5], "xy": [], "av": {"3": "0,1"}},
        "1_e": {"vid": "1", "z": [6, 7], "xy": [], "av": {"2": ""}},
    },
}
TABLE = """# Exported using VGG Image Annotator
# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata
# ATTRIBUTE = {"1":{"aname":"act","type":4,"options":{"0":"jump"}}}
"1_a","[""v.mp4""]",0,"[1.5,2.5]","[]","{""1"":""0""}"
"""
SEGMENTS = """# CSV_HEADER = metadata_id,file_list,temporal_segment_start,temporal_segment_end,metadata
"1_a","[""v.mp4""]",1.5,2.5,"{""act"":""jump""}"
"1_b","[""v.mp4""]",3,undefined,"{""act"":""run""}"
"""


def read(text: str) -> LabelFile:
    document = Document("a", text.encode())
    assert holds_labels(document)
    return read_labels(document)


def rows(file: LabelFile) -> list[tuple[str, float, float, str, str]]:
    return [(video.name, one.start, one.end, one.label, one.layer) for video in file.videos for one in video.segments]


def test_a_project() -> None:
    found = read(json.dumps(PROJECT))
    assert rows(found) == [
        ("v.mp4", 1.5, 2.5, "jump", "act"),
        ("v.mp4", 1.5, 2.5, "ann", "who"),
        ("v.mp4", 3, 3, "run", "act"),
        ("v.mp4", 4, 5, "fast", "how"),
        ("v.mp4", 4, 5, "high", "how"),
    ]
    assert [one.where for one in found.remarks] == ["a: 1_c", "a: 1_e"]


def test_a_table() -> None:
    assert rows(read(TABLE)) == [("v.mp4", 1.5, 2.5, "jump", "act")]


def test_a_table_of_segments() -> None:
    assert rows(read(SEGMENTS)) == [("v.mp4", 1.5, 2.5, "jump", "act"), ("v.mp4", 3, 3, "run", "act")]


def test_files_of_one_name_are_told_apart_where_they_are_written_and_said_where_they_are_read() -> None:
    row = {"label": "jump", "score": 0.5, "segment": [1.0, 2.0]}
    videos = ("x/v", "y/v", "w")
    found = [VideoRows(video, [row], f"/data/{video}.mp4") for video in videos]
    text = "".join(results_text(found))
    assert [one[0] for one in rows(read(text))] == ["x/v.mp4", "y/v.mp4", "w.mp4"]
    assert not read(text).remarks
    alike = read(text.replace("x/v.mp4", "w.mp4"))
    assert [one.what for one in alike.remarks] == [
        "2 files are called 'w.mp4', and are taken for one video: rename them"
    ]
