"""Detections as the server of ActivityNet takes them."""

import json
from pathlib import Path

import pytest
from commands import Command, Refused

from actionformer import InputError
from actionformer.datasets.submissions.index import submission_content
from actionformer.datasets.submissions.material import Material


def test_what_the_server_asks_for(call: Command, tmp_path: Path) -> None:
    found, out = tmp_path / "found.csv", tmp_path / "submission.json"
    found.write_text("video,label,start,end,score\nv_v_23456789x,Archery,1,2.5,0.5\nv_23456789y,Ballet,0,1,0.25\n")
    assert call("submission", "activitynet13", found, "--out", out, "--external-data", "features of Kinetics").code == 0
    assert json.loads(out.read_text()) == {
        "version": "VERSION 1.3",
        "results": {
            "v_23456789x": [{"label": "Archery", "score": 0.5, "segment": [1.0, 2.5]}],
            "v_23456789y": [{"label": "Ballet", "score": 0.25, "segment": [0.0, 1.0]}],
        },
        "external_data": {"used": True, "details": "features of Kinetics"},
    }
    assert call("submission", "activitynet13", found, "--out", out, "--overwrite").code == 0
    assert json.loads(out.read_text())["external_data"] == {"used": False, "details": ""}


def test_proposals_of_one_class_are_no_results(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "found.csv").write_text("video,label,start,end,score\nb,action,0,1,0.25\n")
    line = refused("submission", "activitynet13", tmp_path / "found.csv", "--out", tmp_path / "out.json")
    assert "all detections are of one class, 'action', and ActivityNet has 200" in line


def test_a_benchmark_that_has_none() -> None:
    with pytest.raises(InputError, match="no benchmark 'epic10', did you mean 'epic100'"):
        submission_content("epic10", Material([]))
