import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged import MakeAnnotations, MakeDetections
from rich.console import Console
from rich.table import Table

from actionformer.core.errors import InputError
from actionformer.evaluation.report import Report, parse_tiou, score
from actionformer.formats.annotations import write_annotations
from actionformer.formats.detections import write_results


@pytest.fixture
def report(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> Report:
    annotations = make_annotations({"v": [(0, 10, 0), (0, 10, 0), (20, 30, 1)], "w": [(0, 5, 0)]})
    detections = make_detections(
        {
            "v": [(0, 10, 0, 0.9), (20, 26, 1, 0.8), (0, 10, 2, 0.7)],
            "elsewhere": [(0, 1, 0, 0.5), (0, 1, 1, 0.4)],
        }
    )
    return score(annotations, detections, tiou="0.5:0.7:0.1")


def test_counts_and_warnings(report: Report) -> None:
    counts = report.counts
    assert (counts.videos, counts.ground_truths, counts.detections) == (2, 3, 5)
    assert [sentence.split()[0] for sentence in report.warnings] == ["2", "1", "1", "1"]
    assert "outside the evaluated subset" in report.warnings[0]
    assert "no ground truth has" in report.warnings[1]
    assert "repeats or shorter than 1 ms" in report.warnings[2]
    assert "no detections: all actions there are missed" in report.warnings[3]


def test_json(report: Report, tmp_path: Path) -> None:
    report.to_json(tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["tiou"] == [0.5, 0.6, 0.7]
    assert content["map"] == [0.75, 0.75, 0.25]
    assert content["per_class"] == {"a": [0.5] * 3, "b": [1.0, 1.0, 0.0]}
    assert set(content["average_recall"]) == {"1", "5", "10", "50", "100", "auc"}
    assert content["counts"]["outside_subset"] == 2
    assert content["warnings"] == report.warnings


def printed(table: Table) -> str:
    file = io.StringIO()
    Console(width=100, file=file).print(table)
    return file.getvalue()


def test_table(report: Report) -> None:
    text = printed(report.table(per_class=True))
    assert "mAP" in text
    assert "75.00" in text
    assert "58.33" in text
    assert "AP b" in text
    assert "AP b" not in printed(report.table())
    assert any("AR@1 " in line and "AUC" in line for line in text.splitlines())


def test_files_are_read(make_annotations: MakeAnnotations, make_detections: MakeDetections, tmp_path: Path) -> None:
    annotations = make_annotations({"v": [(0, 10, 0)]})
    detections = make_detections({"v": [(0, 10, 0, 0.5)]})
    write_annotations(tmp_path / "a.json", annotations)
    write_results(tmp_path / "r.json", detections)
    assert score(tmp_path / "a.json", str(tmp_path / "r.json")) == score(annotations, detections)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0.3:0.7:0.1", (0.3, 0.4, 0.5, 0.6, 0.7)),
        ("0.5:0.95:0.05", (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)),
        ("0.5:0.5:0.1", (0.5,)),
        ("0.3:0.7:0.3", (0.3, 0.6)),
        ("0.1:1:0.9", (0.1, 1.0)),
        ("0.5", (0.5,)),
        ("0.95, 0.5,0.75", (0.5, 0.75, 0.95)),
        ([0.3, 0.3, 1], (0.3, 1.0)),
        (np.linspace(0.1, 0.5, 3), (0.1, 0.3, 0.5)),
    ],
)
def test_parse_tiou(given: Any, expected: Any) -> None:
    assert parse_tiou(given) == pytest.approx(expected, abs=1e-12)


def test_parsed_steps_are_the_plain_decimals() -> None:
    assert parse_tiou("0.3:0.7:0.1") == (0.3, 0.4, 0.5, 0.6, 0.7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("0.3:0.1:0.7", "start must not exceed stop; expected start:stop:step, e.g. 0.3:0.7:0.1"),
        ("0.1:0.5:0.6", "step 0.6 is larger than the range 0.1 to 0.5; expected start:stop:step"),
        ("0.3:0.7:0", "the step must be above 0"),
        ("0.3:0.7:-0.1", "the step must be above 0"),
        ("0.3:0.7", "found 2 numbers; expected start:stop:step"),
        ("0.3:0.7:0.1:1", "found 4 numbers"),
        ("0.3:x:0.1", "not a number; expected start:stop:step"),
        ("0.3:nan:0.1", "start must not exceed stop"),
        ("0.3:0.7:1e-9", "more than 1000 thresholds"),
        ("", "not a number"),
        ("0.5,1.2", r"thresholds lie above 0 and up to 1, found 1\.2"),
        ("0:0.5:0.1", "thresholds lie above 0 and up to 1, found 0"),
        ([0.5, float("nan")], "found nan"),
        ([], "found none"),
        (0.5, "not a number"),
        (None, "not a number"),
    ],
)
def test_thresholds_that_make_no_sense(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_tiou(given)


def test_names_in_another_form_of_unicode_are_the_same(
    make_annotations: MakeAnnotations, make_detections: MakeDetections
) -> None:
    annotations = make_annotations({"m\u00fcde": [(0, 10, 0)]})
    found = make_detections({"mu\u0308de": [(0, 10, 0, 0.9)]})
    report = score(annotations, found, tiou=[0.5])
    assert report.average == 1.0
    assert report.warnings == []


def test_the_nearest_names_are_told(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> None:
    annotations = make_annotations({"video_1": [(0, 10, 0)], "video_2": [(0, 5, 1)]})
    report = score(annotations, make_detections({"video_1.mp4": [(0, 10, 0, 0.9)]}), tiou=[0.5])
    assert report.warnings[0] == (
        "1 detection lies in videos outside the evaluated subset (false positives)"
        "; 'video_1.mp4' may be 'video_1'; it differs by a file's ending alone: rename one side"
    )
    elsewhere = score(annotations, make_detections({"video_9": [(0, 10, 0, 0.9)]}), tiou=[0.5])
    assert elsewhere.warnings[0].endswith("(false positives): leave them out, or evaluate their subset too")
