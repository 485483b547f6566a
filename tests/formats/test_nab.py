"""The Numenta Anomaly Benchmark."""

import json
from pathlib import Path
from typing import Any

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.document import Document
from actionformer.formats.nab import holds_labels

WINDOWS = {"real/taxi.csv": [["2014-07-01 00:30:00.000000", "2014-07-01 02:00:00.500000"]], "real/quiet.csv": []}


def test_time_0_is_the_first_row_of_the_series(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "data/real").mkdir(parents=True)
    (tmp_path / "data/real/taxi.csv").write_text("timestamp,value\n2014-07-01 00:00:00,1\n", encoding="utf-8")
    (tmp_path / "labels/combined_windows.json").write_text(json.dumps(WINDOWS), encoding="utf-8")
    found = read_as("nab", tmp_path / "labels/combined_windows.json")
    first, second = found.videos
    assert (first.name, in_seconds(first)) == ("real/taxi.csv", [(1800, 7200.5, "anomaly")])
    assert (second.name, second.segments) == ("real/quiet.csv", [])
    assert found.remarks == []


def test_without_the_series_times_count_from_1970_and_that_is_told() -> None:
    found = read_as("nab", "nowhere/a.json", json.dumps({"a.csv": ["1970-01-02 00:00:00"]}))
    assert in_seconds(found.videos[0]) == [(86400, 86400, "anomaly")]
    assert [one.where for one in found.remarks] == [f"{Path('nowhere/a.json')}: a.csv"]


@pytest.mark.parametrize("content", [{}, {"a": []}, {"a": ["noon"]}, {"a": [1]}, {"a": [["2014-01-01"] * 3]}, []])
def test_other_json_is_none(content: Any) -> None:
    assert not holds_labels(Document("a.json", json.dumps(content).encode()))


def test_samples(shared: Path) -> None:
    found = read_as("nab", shared / "data/formats/nab/combined_windows.json")
    windows = json.loads((shared / "data/formats/nab/combined_windows.json").read_text("utf-8"))
    assert {video.name: len(video.segments) for video in found.videos} == {
        key: len(one) for key, one in windows.items()
    }
    assert all(one.start == one.end for video in read_as("nab", shared / "data/formats/nab/combined_labels.json").videos
               for one in video.segments)  # fmt: skip
