"""Label files become annotations to train on, from outside."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT FORMAT="3.0"><HEADER TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Users/me/clip1.mp4" MIME_TYPE="video/mp4"/></HEADER>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="t1" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="t2" TIME_VALUE="2250"/></TIME_ORDER>
<TIER TIER_ID="actions"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="t1" TIME_SLOT_REF2="t2">
<ANNOTATION_VALUE>left</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"""
TABLE = "Video;Label;Start;End\nclip0.mp4;left;0:00,5;1,75\nclip0.mp4;right;2;2\nclip9.mp4;left;1;2\n"
REGION = {"ranges": [{"start": 11, "end": 30}], "timelinelabels": ["right"]}
TASK = {
    "id": 3,
    "data": {"video": "/data/upload/1/ab12cd34-clip2.mp4"},
    "annotations": [{"completed_by": 1, "result": [{"type": "timelinelabels", "value": REGION}]}],
}


def test_columns_of_a_table_in_any_language(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "fi.csv").write_text("Video;Alku;Loppu;Laji\na.mp4;1,5;2,25;juosta\n", "utf-8")
    out = tmp_path / "annotations.json"
    refused = call("import", tmp_path / "fi.csv", "--out", out)
    assert refused.code == 2
    advice = "--columns video=Video start=Alku end=Loppu label=Laji"
    assert refused.err.endswith(f"{advice}\n")
    for given in (advice.split(), ["--columns", "video=Video,start=Alku,end=Loppu,label=Laji"]):
        assert call("import", tmp_path / "fi.csv", *given, "--out", out, "--overwrite").code == 0
        assert json.loads(out.read_text("utf-8"))["database"]["a"]["annotations"][0]["segment"] == [1.5, 2.25]


@pytest.fixture
def label_files(tmp_path: Path) -> Path:
    """A folder with a spreadsheet, an ELAN document, an export of Label Studio and a letter."""
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "labels.csv").write_bytes(b"\xef\xbb\xbf" + TABLE.encode())
    (folder / "clip1.eaf").write_text(EAF, "utf-8")
    (folder / "export.json").write_text(json.dumps([TASK]), "utf-8")
    (folder / "letter.txt").write_text("Dear all,\nhere they are.\n", "utf-8")
    return folder


def test_three_tools_become_one_annotation_file(
    call: Callable[..., Any], tmp_path: Path, label_files: Path, videos: Path
) -> None:
    out = tmp_path / "annotations.json"
    done = call("import", label_files, "--videos", videos, "--out", out)
    database = json.loads(out.read_text("utf-8"))["database"]
    found = {
        name: [(*one["segment"], one["label"]) for one in video["annotations"]] for name, video in database.items()
    }
    rate = database["clip2"]["fps"]
    assert found == {
        "clip1": [(0.5, 2.25, "left")],
        "clip2": [(pytest.approx(10 / rate), pytest.approx(30 / rate), "right")],
        "clip0": [(0.5, 1.75, "left")],
    }
    assert all(video["duration"] > 3 and video["subset"] == "training" for video in database.values())
    assert "left         2       2    1.25 s  1.50 s   1.75 s" in done.out
    assert "3 videos (3 training); 3 actions of 2 classes" in done.out
    for said in (
        "labels.csv: line 3: a moment without length is left out: --point-width SECONDS makes an action of it",
        "letter.txt: text that begins with 'Dear all,': no format of labels that is known",
        "a labelled video is not among the 3 videos: 'clip9.mp4'",
        "export.json: task 3: the export does not say how many frames a second are counted",
    ):
        assert said in done.err


def test_what_is_imported_is_trained_on(
    call: Callable[..., Any], tmp_path: Path, label_files: Path, videos: Path
) -> None:
    names = ("--annotations", tmp_path / "annotations.json", "--features", tmp_path / "features")
    assert call("import", label_files, "--videos", videos, "--out", names[1]).code == 0
    features = ("--backbone", "motion", "--num-frames", "4", "--stride", "2", "--workers", "0", "--out", names[3])
    assert call("extract", videos, *features).code == 0
    small = ("--model.width", "16", "--model.num-heads", "2", "--training.epochs", "1", "--training.warmup-epochs", "0")
    done = call("train", "small", *names, "--out", tmp_path / "run", *small, "--data.test-subset", "training")
    assert done.code == 0, done.err
    assert (tmp_path / "run" / "model.safetensors").is_file()


def test_a_video_that_cannot_be_read_is_refused_only_where_it_has_labels(
    call: Callable[..., Any], tmp_path: Path, videos: Path
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "clip0.mp4").write_bytes((videos / "clip0.mp4").read_bytes())
    (folder / "broken.mp4").write_bytes(b"x" * 99)
    labels, out = tmp_path / "labels.csv", tmp_path / "annotations.json"
    labels.write_text("video,start,end,label\nclip0,1,2,left\n", "utf-8")
    done = call("import", labels, "--videos", folder, "--background", "--out", out)
    assert (done.code, list(json.loads(out.read_text("utf-8"))["database"])) == (0, ["clip0"])
    assert "broken.mp4: " in done.err
    assert done.err.count(": left out") == 1
    labels.write_text("video,start,end,label\nclip0,1,2,left\nbroken,1,2,left\n", "utf-8")
    refused = call("import", labels, "--videos", folder, "--out", out, "--overwrite")
    assert refused.code == 2
    assert refused.err.endswith("; there are labels of it: replace it, or take it out of --videos\n")
