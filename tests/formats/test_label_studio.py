"""Exports of Label Studio, worked by hand."""

import json
from typing import Any

from actionformer.formats.document import Document
from actionformer.formats.label_studio import holds_labels, read_labels
from actionformer.formats.labels import LabelFile


def read(content: Any) -> LabelFile:
    document = Document("export.json", json.dumps(content).encode())
    assert holds_labels(document)
    return read_labels(document)


def timeline(start: int, end: int, *labels: str) -> dict[str, Any]:
    value = {"ranges": [{"start": start, "end": end}], "timelinelabels": labels}
    return {"type": "timelinelabels", "value": value}


def task(*annotations: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {"id": 1, "data": data or {"video": "v.mp4"}, "annotations": annotations}


def test_frames_count_from_1_with_the_last_one() -> None:
    found = read([task({"result": [timeline(1, 10, "a", "b"), timeline(5, 5, "c")]}, video="v.mp4", fps="25")])
    (video,) = found.videos
    assert (video.unit, video.fps) == ("frames", 25)
    assert [(one.start, one.end, one.label) for one in video.segments] == [(0, 10, "a"), (0, 10, "b"), (4, 5, "c")]
    assert found.remarks == []


def test_annotators_cancelled_annotations_and_ground_truth() -> None:
    both = task({"completed_by": 1, "result": []}, {"completed_by": {"email": "b@x"}, "result": []})
    cancelled = task({"was_cancelled": True, "result": [timeline(1, 2, "a")]}, {"result": []})
    truth = task({"completed_by": 1, "result": []}, {"completed_by": 2, "ground_truth": True, "result": []})
    assert [one.annotator for one in read([both]).videos] == ["1", "b@x"]
    assert [len(one.segments) for one in read([cancelled]).videos] == [0]
    assert len(read([truth]).videos) == 1


def test_tasks_that_nobody_has_done_say_nothing() -> None:
    found = read([task(), task({"result": [timeline(1, 2, "a")]}, video="w.mp4")])
    assert [one.name for one in found.videos] == ["w.mp4"]


def test_predictions_are_read_where_nobody_was_to_label() -> None:
    predicted = {"model_version": "m", "result": [timeline(1, 10, "a")]}
    found = read([{"data": {"video": "v.mp4", "fps": 25}, "predictions": [predicted]}])
    assert [(one.start, one.end, one.label) for video in found.videos for one in video.segments] == [(0, 10, "a")]
    assert [one.what for one in found.remarks] == [
        "a task with predictions alone: they are taken as labels, though nobody may have looked at them"
    ]
    exported = read(
        [task() | {"predictions": [predicted]}, task({"result": [timeline(3, 4, "b")]}, video="v.mp4", fps=25)]
    )
    assert [one.label for video in exported.videos for one in video.segments] == ["b"]
    assert not exported.remarks


def test_names_of_local_files() -> None:
    found = read([task({"result": []}, title="Monday", video="/data/local-files/?d=clips/one%20two.mp4")])
    assert found.videos[0].name == "clips/one two.mp4"


def test_rectangles_are_actions_while_they_are_shown() -> None:
    keys = [{"frame": 11, "enabled": True}, {"frame": 20, "enabled": False}, {"frame": 31, "enabled": True}]
    value = {"framesCount": 50, "duration": 2.0, "sequence": keys, "labels": ["man"]}
    (video,) = read([task({"result": [{"type": "videorectangle", "value": value}]})]).videos
    assert (video.fps, [(one.start, one.end) for one in video.segments]) == (25, [(10, 20), (30, 50)])


def test_seconds_choices_and_times_of_a_clock() -> None:
    clock = {"start": 1602708145233, "end": 1602708375312, "timeserieslabels": ["run"]}
    result = [
        {"type": "labels", "value": {"start": 1.5, "end": 2.5, "labels": ["beat"]}},
        {"type": "choices", "value": {"choices": ["good"]}},
        {"type": "timeserieslabels", "value": clock},
    ]
    found = read([task({"result": result}, audio="a.wav")])
    assert [(one.start, one.end, one.label) for one in found.videos[0].segments] == [(1.5, 2.5, "beat")]
    assert ["of a clock" in one.what for one in found.remarks] == [True]


def test_before_1_0_annotations_were_completions() -> None:
    found = read([{"data": {"video": "v.mp4"}, "completions": [{"result": [timeline(1, 2, "a")]}]}])
    assert len(found.videos[0].segments) == 1
