"""Detections in clips of Ego4D, as its server takes them."""

import json
from pathlib import Path

import pytest
from commands import Command, Refused

CLIPS = [
    {"clip_uid": "c", "video_start_sec": 3.5, "video_end_sec": 10.0, "video_start_frame": 105, "video_end_frame": 300},
    {"clip_uid": "d", "video_start_sec": 0, "video_end_sec": 10.0, "video_start_frame": 0, "video_end_frame": 300},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "moments_test_unannotated.json").write_text(
        json.dumps({"videos": [{"video_uid": "v", "split": "test", "clips": CLIPS}]})
    )
    (tmp_path / "moments_val.json").write_text(
        json.dumps({"videos": [{"video_uid": "w", "split": "val", "clips": [CLIPS[0] | {"clip_uid": "e"}]}]})
    )
    return tmp_path


def found(path: Path, clip: str = "c") -> Path:
    path.write_text("\n".join(["video,label,start,end,score", f"{clip},wash,2,3,0.9", f"{clip},cut,0.1,0.5,0.8",
                               f"{clip},cut,0.1,0.2,0.7", f"{clip},cut,6,9,0.6"]))  # fmt: skip
    return path


def test_times_count_from_the_beginning_of_the_clip(call: Command, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "submission.json"
    done = call("submission", "ego4d", found(tmp_path / "found.csv"), "--source", source, "--out", out)
    assert (done.code, done.out) == (0, f"written: {out}\n")
    content = json.loads(out.read_text())
    assert list(content) == ["version", "challenge", "detect_results", "retrieve_results"]
    assert (content["version"], content["challenge"]) == ("1.0", "ego4d_moment_queries")
    # the clip begins at frame 105, its features at frame 96: 0.3 s before; it lasts 6.5 s
    assert content["detect_results"] == {
        "c": [
            {"label": "wash", "score": 0.9, "segment": pytest.approx([1.7, 2.7])},
            {"label": "cut", "score": 0.8, "segment": pytest.approx([0.0, 0.2])},
            {"label": "cut", "score": 0.6, "segment": pytest.approx([5.7, 6.5])},
        ],
        "d": [],  # a clip of the same split without detections; that of another split is not there
    }
    assert content["retrieve_results"] == content["detect_results"]


def test_clips_are_looked_up(refused: Refused, source: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "submission.json")
    other = found(tmp_path / "found.csv", "x")
    assert f"{source}: no clip 'x'" in refused("submission", "ego4d", other, "--source", source, *out)
    assert "give --source, the folder that holds moments_val.json" in refused("submission", "ego4d", other, *out)
    missing = tmp_path / "none"
    assert f"{missing}: no such folder" in refused("submission", "ego4d", other, "--source", missing, *out)
    missing.mkdir()
    assert "moments_*.json: missing" in refused("submission", "ego4d", other, "--source", missing, *out)
