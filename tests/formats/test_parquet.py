"""Detections in Parquet: a row per video, there and back."""

from pathlib import Path
from typing import Any

import pytest
from commands import Refused

from actionformer import read_results
from actionformer.core.errors import InputError
from actionformer.formats import parquet as format_
from actionformer.formats.parquet import results_bytes
from actionformer.formats.rows import VideoRows

arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
ROW = {"label": "run", "score": 0.5, "segment": [0.1, 1.25]}


def test_a_row_per_video_also_where_nothing_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(format_, "GROUP", 2)
    videos = [
        VideoRows("a/b", [ROW, {**ROW, "label": "jump"}], "a/b.mp4"),
        VideoRows("none", []),
        VideoRows("c", [ROW]),
    ]
    (tmp_path / "a.parquet").write_bytes(b"".join(results_bytes(videos)))
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist()[0] == {
        "video": "a/b",
        "source": "a/b.mp4",
        "detections": [{"label": label, "score": 0.5, "start": 0.1, "end": 1.25} for label in ("run", "jump")],
    }
    assert parquet.ParquetFile(tmp_path / "a.parquet").num_row_groups == 2
    found = read_results(tmp_path / "a.parquet")
    assert {video: one.to_dict() for video, one in found.items()} == {one.video: one.rows for one in videos}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"video": "a", "found": 1}], "expected columns video and detections, found video, found"),
        ([{"video": None, "detections": []}, {"video": "b", "detections": [{"label": "a"}]}], "row 1: expected the id"),
        ([{"video": "a", "detections": []}, {"video": "a", "detections": [{"label": "a"}]}], "row 2: .*an earlier row"),
        ([{"video": "a", "detections": [{"label": "a", "start": 1.0}]}], "video 'a': end must be a finite number"),
    ],
)
def test_tables_of_something_else_are_refused(tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=message):
        read_results(tmp_path / "a.parquet")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("video,label")
    with pytest.raises(InputError, match="cannot read Parquet"):
        read_results(tmp_path / "a.parquet")


def test_it_is_not_for_a_terminal(refused: Refused, trained: Path, features: Path) -> None:
    assert "parquet is no text for a terminal: give --out" in refused(
        "detect", trained, features, "--format", "parquet"
    )
