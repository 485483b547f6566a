"""`detect --clips` from the command line."""

import csv
from pathlib import Path

import numpy as np
import pytest
from commands import Command, Refused

from actionformer.core.detections import Detections
from actionformer.recipes.clips import cut_clips
from actionformer.video.reader import VideoReader


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def seconds_of(path: Path) -> float:
    with VideoReader(path) as video:
        *_, last = video.frames()
        return last.time + last.duration


def test_clips_and_their_list(call: Command, refused: Refused, seen: Path, videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "clips"
    job = ("detect", seen / "run", videos / "clip0.mp4", "--clips", out, "--margin", 0.5, "--format", "json")
    assert call(*job).code == 0
    rows = rows_of(out / "clip0" / "clips.csv")
    assert {row["label"] for row in rows} == {"left", "right"}
    assert sorted(path.name for path in (out / "clip0").iterdir()) == sorted(
        [*(row["clip"] for row in rows), "clips.csv"]
    )
    for row in rows:
        start, end, cut_start, cut_end = (float(row[name]) for name in ("start", "end", "cut_start", "cut_end"))
        assert cut_start == pytest.approx(max(start - 0.5, 0), abs=2e-3)
        assert cut_end >= end
        assert seconds_of(out / "clip0" / row["clip"]) == pytest.approx(cut_end - cut_start, abs=0.15)
    assert "clips.csv: exists; --overwrite" in refused(*job)
    assert call(*job, "--overwrite", "--min-score", 0.999999).code == 0
    assert [path.name for path in (out / "clip0").iterdir()] == ["clips.csv"]


def test_names_of_labels_are_names_of_files(videos: Path, tmp_path: Path) -> None:
    found = Detections(np.array([[1.0, 1.5], [2.0, 2.5]]), np.array([0.9, 0.8]), np.array([0, 1]), ("a/../b: c", "Ü?"))
    cut_clips(videos / "clip0.mp4", "folder/clip0", found, tmp_path, 0.0)
    names = sorted(path.name for path in (tmp_path / "folder" / "clip0").iterdir())
    assert names == ["001_a_b_c_1.00-1.50.mp4", "002_Ü__2.00-2.50.mp4", "clips.csv"]
    assert [row["label"] for row in rows_of(tmp_path / "folder" / "clip0" / "clips.csv")] == ["a/../b: c", "Ü?"]


def test_calls_that_cannot_be_meant(refused: Refused, seen: Path, videos: Path, tmp_path: Path) -> None:
    features = ("detect", seen / "run", seen / "features", "--clips", tmp_path / "a")
    assert "holds features, clips are cut out of videos" in refused(*features)
    told = ("detect", seen / "run", videos, "--clips", tmp_path / "a", "--margin")
    assert "margin must be a number of seconds from 0 on, found -1" in refused(*told, -1)
