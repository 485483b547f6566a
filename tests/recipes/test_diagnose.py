"""`actionformer diagnose` from the command line: terminal, JSON and page."""

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from actionformer import evaluate, read_annotations, score, train
from actionformer.core.detections import Detections
from actionformer.formats.detections import write_results
from actionformer.settings.config import Config

Command = Callable[..., Any]


@pytest.fixture
def perfect(tmp_path: Path, annotations: Path) -> Path:
    """Detections of the evaluation subset, all right, and one action besides by the other name."""
    truth = read_annotations(annotations).subset("validation")
    path = tmp_path / "perfect.json"
    found = {
        name: Detections(video.segments, [0.9] * len(video.labels), video.labels, truth.class_names)
        for name, video in truth.videos.items()
    }
    write_results(path, found)
    content = json.loads(path.read_text("utf-8"))
    first = content["results"]["video4"][0]
    other = {"jump": "run", "run": "jump"}[first["label"]]
    content["results"]["video4"].append({**first, "label": other, "score": 0.1})
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_a_file_of_detections(call: Command, annotations: Path, perfect: Path, tmp_path: Path) -> None:
    arguments = ("diagnose", perfect, "--annotations", annotations, "--subset", "Validation", "--draws", 20)
    result = call(*arguments, "--json", tmp_path / "a.json", "--html", tmp_path / "a.html")
    assert result.code == 0, result.err
    assert re.search(r"mAP +100\.0 +100\.0 +100\.0", result.out)
    assert re.search(r"wrong label +1 +0 +\+0\.0", result.out)
    figures = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert (figures["videos"], figures["actions"], figures["detections"]) == (2, 8, 9)
    assert figures["kinds"]["true positive"] == figures["shown_kinds"]["true positive"] == 8
    assert (figures["kinds"]["wrong label"], figures["shown_kinds"]["wrong label"]) == (1, 0)
    assert figures["framewise"]["accuracy"] == figures["framewise"]["edit"] == 1
    assert [one["characteristic"] for one in figures["sensitivity"]] == ["length", "coverage", "instances"]
    assert "a.html: exists; --overwrite" in call(*arguments, "--html", tmp_path / "a.html").err


class _Page(HTMLParser):
    """Counts tags, and checks that they are closed and that nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag != "script"
        assert not {"src", "href"} & dict(attributes).keys()
        self.seen[tag] = self.seen.get(tag, 0) + 1
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_names_are_text(call: Command, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    database = {"v": {"subset": "test", "duration": 30, "annotations": [{"segment": [1, 5], "label": name}]}}
    (tmp_path / "truth.json").write_text(json.dumps({"database": database}), "utf-8")
    results = {"v": [{"label": name, "score": 0.9, "segment": [1, 4]}]}
    (tmp_path / "found.json").write_text(json.dumps({"results": results}), "utf-8")
    arguments = ("--annotations", tmp_path / "truth.json", "--draws", 5, "--html", tmp_path / "a.html")
    assert call("diagnose", tmp_path / "found.json", *arguments).code == 0
    text = (tmp_path / "a.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)" in text
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert page.seen["svg"] == 1
    assert page.seen["table"] == page.seen["h2"] == 8


def test_a_run_that_was_evaluated(call: Command, refused: Command, run: Path, annotations: Path, perfect: Path) -> None:
    (run / "detections.json").unlink()
    assert "holds no detections.json: evaluate the run first" in refused("diagnose", run)
    shutil.copy(perfect, run / "detections.json")
    assert f"evaluate {run}` again" in refused("diagnose", run)  # evaluation.json says something else
    score(read_annotations(annotations).subset("validation"), perfect).to_json(run / "evaluation.json")
    result = call("diagnose", run, "--draws", 50, "--against", perfect)
    assert result.code == 0, result.err
    assert "paired test: p = 1" in result.out
    assert "2 videos, 8 actions, 9 detections" in result.out  # of the evaluation subset


def test_detections_of_other_videos_are_refused(call: Command, refused: Command, run: Path, tmp_path: Path) -> None:
    assert call("diagnose", run, "--draws", 5).err == ""
    with pytest.warns(UserWarning, match="was trained on subset training, where its scores and figures are too good"):
        evaluate(run, subset="training")
    said = refused("diagnose", run)
    assert f"{run}: its last evaluation was of other videos or annotations than its settings name: run " in said
    assert f"`actionformer evaluate {run}` again" in said
    result = call("diagnose", run, "--draws", 5, "--subset", "training")
    assert result.code == 0
    assert "was trained on subset training" in result.err
    evaluate(run)
    assert f"evaluate {run} --subset training` again" in refused("diagnose", run, "--subset", "training")


def test_a_second_run_of_other_videos_is_refused(
    call: Command, refused: Command, run: Path, tmp_path: Path, tiny: Config, all_training: Path, features: Path
) -> None:
    other = tmp_path / "other"
    train(tiny, all_training, features, other, validation=0.4)
    said = refused("diagnose", run, "--against", other)
    assert f"{run} and {other} cannot be compared: they were evaluated on other videos (2 videos and " in said


def test_odd_detections_of_a_file_are_told_as_score_tells_them(call: Command, perfect: Path, annotations: Path) -> None:
    result = call("diagnose", perfect, "--annotations", annotations, "--subset", "training", "--draws", 5)
    assert result.code == 0
    assert "9 detections lie in videos outside the evaluated subset (false positives)" in result.err
    assert "3 evaluated videos have no detections: all actions there are missed" in result.err


def test_a_class_that_was_renamed_is_refused(refused: Command, run: Path, annotations: Path, tmp_path: Path) -> None:
    path = tmp_path / "renamed.json"
    path.write_text(annotations.read_text("utf-8").replace('"jump"', '"jumps"'), "utf-8")
    assert "the model has no class 'jumps', did you mean 'jump'?" in refused("diagnose", run, "--annotations", path)


def test_settings_of_an_evaluation_that_are_not_the_models_are_told(call: Command, refused: Command, run: Path) -> None:
    evaluate(run, settings={"suppression": {"max_detections": 5}})
    result = call("diagnose", run, "--draws", 5)
    assert result.code == 0
    had = f"{run}: its last evaluation had suppression.max_detections 5, not the model's own"
    assert had in result.err
    assert f"{had}: run `actionformer evaluate {run}` again" in refused("compare", "--from", run)
    evaluate(run)
    assert call("diagnose", run, "--draws", 5).err == ""


def test_calls_that_cannot_be_meant(refused: Command, perfect: Path, annotations: Path, tmp_path: Path) -> None:
    assert "does not say what is right: give --annotations" in refused("diagnose", perfect)
    assert "no such file" in refused("diagnose", tmp_path / "nothing.json", "--annotations", annotations)
    told = ("diagnose", perfect, "--annotations", annotations)
    assert "draws must be at least 1, found 0" in refused(*told, "--draws", 0)
    assert "thresholds lie above 0 and up to 1" in refused(*told, "--tiou", 2)
