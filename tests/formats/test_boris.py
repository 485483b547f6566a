"""Projects and tables of BORIS, worked by hand."""

import json
from typing import Any

import pytest

from actionformer.formats.boris import holds_labels, read_labels
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile

ETHOGRAM = {
    "0": {"code": "dig", "type": "State event"},
    "1": {"code": "bark", "type": "Point event (with coding map)"},
}
TABULAR = """Observation id\tone\t\t\t\t\t\t\t
Media file(s)\t\t\t\t\t\t\t\t
Player #1\tC:\\a\\v.mp4\t\t\t\t\t\t\t
Time offset (s)\t10,0\t\t\t\t\t\t\t
Time\tMedia file path\tTotal length\tFPS\tSubject\tBehavior\tBehavioral category\tComment\tStatus
11,5\tC:\\a\\v.mp4\t60,0\t25,0\trex\tdig\t\t\tSTART
12,0\tC:\\a\\v.mp4\t60,0\t25,0\tfido\tdig\t\t\tSTART
13,25\tC:\\a\\v.mp4\t60,0\t25,0\trex\tdig\t\t\tSTOP
14,0\tC:\\a\\v.mp4\t60,0\t25,0\trex\tbark\t\t\tPOINT
15,0\tC:\\a\\v.mp4\t60,0\t25,0\trex\tdig\t\t\tSTOP
"""
NEWER = (
    "Observation id,Observation date,Source,Time offset (s),Media duration (s),FPS,Subject,Behavior,Modifier #1,"
    "Behavior type,Time,Media file name,Comment\r\n"
    "one,2024,player #1:v.mp4,0,60,25,,dig,deep,START,1.5,v.mp4,\r\n"
    "one,2024,player #1:v.mp4,0,60,25,,dig,flat,START,2,v.mp4,\r\n"
    "one,2024,player #1:v.mp4,0,60,25,,dig,deep,STOP,3,v.mp4,\r\n"
    "one,2024,player #1:v.mp4,0,60,25,,dig,flat,STOP,4,v.mp4,\r\n"
    "two,2024,,0,NA,NA,,bark,,POINT,5,NA,\r\n"
)
AGGREGATED = (
    "Observation id,Observation date,Time offset (s),FPS (frame/s),Subject,Behavior,Behavior type,Start (s),Stop (s),"
    "Duration (s),Media file name\n"
    "one,2024,0,25,,dig,STATE,1.5,3,1.5,v.mp4\none,2024,0,25,rex,bark,POINT,4,4,NA,v.mp4\n"
)


def project(**observation: Any) -> LabelFile:
    content = {"behaviors_conf": ETHOGRAM, "observations": {"one": {"type": "MEDIA", **observation}}}
    document = Document("a.boris", json.dumps(content).encode())
    assert holds_labels(document)
    return read_labels(document)


def rows(file: LabelFile) -> list[tuple[str, float, float, str, str]]:
    return [(video.name, one.start, one.end, one.label, one.layer) for video in file.videos for one in video.segments]


def test_two_events_of_a_state_are_its_ends() -> None:
    events = [
        [4.0, "", "dig", "", ""],
        [1.0, "", "dig", "", ""],
        [2.0, "rex", "dig", "", ""],
        [3.0, "", "bark", "", ""],
    ]
    found = project(file={"1": ["v.mp4"]}, events=events)
    nobody = "No focal subject"
    assert rows(found) == [("v.mp4", 1, 4, "dig", nobody), ("v.mp4", 3, 3, "bark", nobody)]
    assert [one.where for one in found.remarks] == ["a.boris: observation 'one', 2 s"]


def test_modifiers_tell_states_apart() -> None:
    events = [
        [1.0, "", "dig", "a", ""],
        [2.0, "", "dig", "a ", ""],
        [3.0, "", "dig", "a", ""],
        [4.0, "", "dig", "a ", ""],
    ]
    assert [row[1:3] for row in rows(project(file={"1": ["v"]}, events=events))] == [(1, 3), (2, 4)]


def test_queued_files_follow_one_another() -> None:
    events = [[time, "", "dig", "", ""] for time in (1.0, 2.0, 59.0, 63.0, 70.0, 71.0)]
    media = {"length": {"a.mp4": 60.0, "b.mp4": 30.0}, "fps": {"a.mp4": 25.0}}
    found = project(file={"1": ["a.mp4", "b.mp4"], "2": []}, media_info=media, events=events)
    assert [row[:3] for row in rows(found)] == [("a.mp4", 1, 2), ("a.mp4", 59, 60), ("b.mp4", 0, 3), ("b.mp4", 10, 11)]
    assert [(one.duration, one.fps) for one in found.videos] == [(60, 25), (30, None)]


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({"time offset": 3600.0}, 3600.0),
        ({"time offset": "-2.5"}, -2.5),
        ({"time offset": None}, 0.0),
        ({"time offset": 10, "media_creation_date_as_offset": True}, 1767348010.0),
    ],
)
def test_events_count_from_the_offset_of_their_observation(settings: dict[str, Any], first: float) -> None:
    events = [[first + time, "", "dig", "", "", 0] for time in (1.5, 3.5)]
    media = {"length": {"v.mp4": 60.0}, "media_creation_time": {"v.mp4": 1767348000.0}}
    found = project(file={"1": ["v.mp4"]}, media_info=media, events=events, **settings)
    assert [row[1:3] for row in rows(found)] == [(1.5, 3.5)]
    assert not found.remarks


def test_dates_of_several_files_are_no_common_offset() -> None:
    media = {"length": {"a": 9.0, "b": 9.0}, "media_creation_time": {"a": 1767348000.0, "b": 1767350000.0}}
    settings = {"media_creation_date_as_offset": True, "media_info": media}
    found = project(file={"1": ["a", "b"]}, events=[[1767348001.0, "", "bark", "", ""]], **settings)
    assert "dates of several files" in found.remarks[0].what


def test_queued_files_of_unknown_length_are_said() -> None:
    events = [[time, "", "dig", "", ""] for time in (1.0, 200.0)]
    found = project(file={"1": ["a.mp4", "b.mp4"]}, events=events)
    assert rows(found)[0][:3] == ("a.mp4", 1, 200)
    assert "no known length" in found.remarks[0].what


def test_an_older_project_lists_files() -> None:
    assert rows(project(type="VIDEO", file=["v.mp4"], events=[[1, "", "bark", "", ""]]))[0][0] == "v.mp4"


def test_behaviours_that_the_ethogram_lacks_are_said() -> None:
    found = project(file={}, events=[[1, "", "fly", "", ""]])
    assert [one.what for one in found.remarks] == ["events of 'fly', which is not in the ethogram, are left out"]
    assert [one.name for one in found.videos] == ["one"]


def test_an_observation_without_events_is_no_background() -> None:
    found = project(file={"1": ["v.mp4"]}, events=[])
    assert found.videos == []
    assert [one.where for one in found.remarks] == ["a.boris: observation 'one'"]


def test_a_table_with_a_preamble_an_offset_and_decimal_commas() -> None:
    found = read_labels(Document("a.tsv", TABULAR.replace("\n", "\r\n").encode()))
    path = "C:\\a\\v.mp4"
    assert rows(found) == [(path, 1.5, 3.25, "dig", "rex"), (path, 4, 4, "bark", "rex")]
    assert (found.videos[0].duration, found.videos[0].fps) == (60, 25)
    assert [(one.what.partition(" is left out")[0], one.where) for one in found.remarks] == [
        ("a STOP without a START", "a.tsv: line 10"),
        ("a START without a STOP", "a.tsv: line 7"),
    ]


def test_a_table_of_several_observations() -> None:
    found = read_labels(Document("a.csv", NEWER.encode()))
    assert [row[:4] for row in rows(found)] == [("v.mp4", 1.5, 3, "dig"), ("v.mp4", 2, 4, "dig"), ("two", 5, 5, "bark")]
    assert [one.annotator for one in found.videos] == ["one", "two"]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_table_of_bouts(delimiter: str) -> None:
    found = read_labels(Document("a.csv", AGGREGATED.replace(",", delimiter).encode()))
    assert rows(found) == [("v.mp4", 1.5, 3, "dig", "No focal subject"), ("v.mp4", 4, 4, "bark", "rex")]
