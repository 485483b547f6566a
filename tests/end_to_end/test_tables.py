"""Tables for people fit 80 columns, with the widest presets and the longest names; in files no name is cut."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import Command, Refused

from actionformer import Detections, Report, load, load_config
from actionformer.core.terminal import WIDEST, rendered
from actionformer.evaluation.report import Counts
from actionformer.formats.detections import named_rows
from actionformer.formats.table import results_table
from actionformer.recipes.describe import describe
from actionformer.settings.loading import preset_names

LONG = "a name that goes on and on, as those of verbs and nouns do " * 3
IDS = ["v_" + "x" * 120, "2026-11-28/camera 1/recording of the whole morning/0001"]


def widest(text: str) -> int:
    return max(map(len, text.splitlines()))


def report(thresholds: tuple[float, ...], classes: int, name: str = LONG) -> Report:
    """A report in which every figure is 100%, the widest there is."""
    ones = [1.0] * len(thresholds)
    return Report(
        tiou=thresholds,
        map=tuple(ones),
        average=1.0,
        per_class={f"{i} {name}": ones for i in range(classes)},
        recall_at_kx={"1": ones, "5": ones},
        average_recall=dict.fromkeys(("1", "5", "10", "50", "100", "auc"), 1.0),
        counts=Counts(4926, 12345, 1234567, 0, 0, 0, 0),
    )


@pytest.mark.parametrize("preset", preset_names())
def test_evaluations_of_every_preset(preset: str) -> None:
    config = load_config(preset)
    one = report(config.evaluation.tiou, 97)
    text = rendered(one.table(per_class=True), 80)
    assert widest(text) <= 80
    assert text.count("AP ") == 97 + 1  # and mAP
    rows = [line.split() for line in text.splitlines() if line.startswith(" AP ")]
    assert all(row[-1] in ("100.00", "100.0") and "\u2026" in " ".join(row) for row in rows)
    assert widest(repr(one)) <= 120
    assert str(one).count(LONG.strip()) == 97


def test_more_thresholds_than_columns() -> None:
    one = report(tuple((np.arange(1, 100) / 100).tolist()), 1)
    text = rendered(one.table(), 80)
    assert widest(text) <= 80
    assert "10 of 99 thresholds" in text
    assert " 0.01 " in text
    assert " 0.99 " in text


def test_detections_with_long_ids_and_names() -> None:
    found = Detections([[3599.25, 86399.5]], [0.5], [0], (LONG,))
    table = results_table(named_rows(dict.fromkeys(IDS, found)))
    assert widest(rendered(table, 80)) <= 80
    assert "86399.50" in rendered(table, 80)
    whole = rendered(table, WIDEST)
    assert all(name in whole for name in [*IDS, LONG.strip()])


def test_a_model_with_long_names(run: Path) -> None:
    card = json.loads((run / "model.json").read_text("utf-8"))
    card["class_names"] = [f"{i} {LONG}" for i in range(2)]
    card["training"]["features"] = ["/archive/" + "x" * 100, "/b"]
    (run / "model.json").write_text(json.dumps(card), "utf-8")
    text = rendered(describe(run), 80)
    assert widest(text) <= 80
    assert text.count("x") == 100  # a path goes on in the next line
    assert widest(repr(load(run))) <= 100


def test_no_two_rows_of_a_model_have_one_name(run: Path) -> None:
    card = json.loads((run / "model.json").read_text("utf-8"))
    card["training"] |= {"parameters": 1, "classes": 2}
    (run / "model.json").write_text(json.dumps(card), "utf-8")
    facts = rendered(describe(run), WIDEST).split("pyramid")[0]
    names = [line[: len(line) - len(line[1:].partition("  ")[2]) - 2].strip() for line in facts.splitlines() if line]
    assert len(names) > 8
    assert len(set(names)) == len(names), names


def test_files_that_failed(call: Command, trained: Path, features: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(features, tmp_path / ("f" * 100) / "features")
    for name in ("video1", "video2"):
        (folder / f"{name}.npy").write_bytes(b"nothing")
    result = call("detect", trained, folder, "--format", "json")
    assert result.code == 1
    rows = [line for line in result.err.splitlines() if "video1.npy" in line]
    assert len(rows) == 1  # nobody looks: on one line
    assert str(folder) in rows[0]


def test_a_row_a_class_where_there_are_few(
    call: Command, trained: Path, annotations: Path, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, tmp_path / "run")
    result = call("evaluate", tmp_path / "run")
    assert "AP jump" in result.out
    scored = ("score", "--annotations", annotations, "--detections", tmp_path / "run" / "detections.json")
    assert "AP run" in call(*scored).out
    monkeypatch.setattr("actionformer.cli.report.MOST_CLASSES", 1)
    result = call(*scored)
    assert "AP run" not in result.out
    assert "2 classes: --per-class shows each" in result.err
    assert "AP run" in call(*scored, "--per-class").out


def test_a_report_says_in_few_lines_what_it_found() -> None:
    one = report((0.3, 0.5), 3)
    assert repr(one).splitlines() == [
        "mAP 100.00 %, the average over tIoU: 100.00 at 0.3, 100.00 at 0.5",
        "3 classes, 4,926 videos, 12,345 actions, 1,234,567 detections; print() shows all figures",
    ]
    odd = replace(one, counts=replace(one.counts, outside_subset=2))
    assert repr(odd).splitlines()[2].startswith("warning: 2 detections lie in videos outside")


def test_a_detector_says_what_it_is(trained: Path) -> None:
    lines = repr(load(trained)).splitlines()
    assert lines[0] == "Detector of 2 classes: jump, run"
    assert lines[1] == "  features: 6 channels, fps 10, stride 5, num_frames 10"
    assert lines[2].endswith("M parameters, float32 on cpu")


def test_hidden_detections_are_counted_once(
    call: Command, trained: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = features / "video4.npy"
    scores = [
        float(line.split(",")[-1]) for line in call("detect", trained, path, "--format", "csv").out.splitlines()[1:]
    ]
    bar = (sorted(scores)[-3] + sorted(scores)[-4]) / 2
    monkeypatch.setattr("actionformer.inference.selection.SHOWN_SCORE", bar)
    for format_ in ("table", "srt"):
        result = call("detect", trained, path, "--format", format_)
        assert result.out.count("jump") + result.out.count("run") == 3
        assert result.err.count("\n") == 1
        assert f"{len(scores) - 3} more score below" in result.err
        assert "--min-score 0 shows them" in result.err
    assert call("detect", trained, path, "--format", "json").err == ""
    live = call("watch", trained, path, "--format", "table")
    assert len(live.out.splitlines()) == 1 + 3
    assert f"{len(scores) - 3} more score below" in live.err.splitlines()[-1]


def test_a_document_of_sensor_data_names_no_video(call: Command, trained: Path, features: Path, tmp_path: Path) -> None:
    assert call("detect", trained, features / "video4.npy", "--out", tmp_path / "a.eaf").code == 0
    text = (tmp_path / "a.eaf").read_text("utf-8")
    assert "MEDIA_DESCRIPTOR" not in text
    assert ".npy" not in text


def test_outputs_of_other_verbs_are_not_replaced_unasked(
    call: Command, refused: Refused, annotations: Path, trained: Path, features: Path, tmp_path: Path
) -> None:
    found, figures = tmp_path / "found.json", tmp_path / "figures.json"
    assert call("detect", trained, features, "--out", found).code == 0
    scored = ("score", "--annotations", annotations, "--detections", found, "--json", figures)
    assert call(*scored).code == 0
    before = figures.read_bytes()
    assert "figures.json: exists; --overwrite replaces it" in refused(*scored)
    assert call(*scored, "--overwrite").code == 0
    assert figures.read_bytes() == before
    assert "figures.json: exists" in refused("view", found, "--save", figures)
    live = ("watch", trained, features / "video4.npy", "--format", "csv", "--out", figures)
    assert "figures.json: exists" in refused(*live)
    assert call(*live, "--overwrite").code == 0
    assert figures.read_text("utf-8").startswith("video,label,start,end,score\n")
