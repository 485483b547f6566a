"""Scores of whole videos, in files as published, and what they do to proposals."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actionformer import InputError, read_results, train
from actionformer.inference.video_scores import read_video_scores
from actionformer.settings.config import Config

CLASSES = ["jump", "run", "swim"]


@pytest.fixture(scope="module")
def proposals(tmp_path_factory: pytest.TempPathFactory, tiny: Config, annotations: Path, features: Path) -> Path:
    """The run of a class-agnostic model."""
    out = tmp_path_factory.mktemp("proposals") / "run"
    train(tiny.replace(model={"num_classes": 1}), annotations, features, out)
    return out


def write(path: Path, annotations: Path, prefix: str = "") -> Path:
    """Scores that are sure of run and doubt jump."""
    videos = json.loads(annotations.read_text("utf-8"))["database"]
    path.write_text(json.dumps({"results": {prefix + name: [0.25, 1.0, 0.01] for name in videos}, "class": CLASSES}))
    return path


def test_json_as_published(tmp_path: Path) -> None:
    path = tmp_path / "cuhk.json"
    path.write_text(json.dumps({"results": {"v_a": [0.5, 0.25, 0]}, "class": CLASSES}))
    found = read_video_scores(path, "v_")
    assert found.class_names == tuple(CLASSES)
    assert found.of("a").tolist() == [0.5, 0.25, 0]
    with pytest.raises(InputError, match=r"cuhk\.json: no scores of video 'A', did you mean 'a'"):
        found.of("A")


def test_an_id_that_begins_as_the_prefix_does(tmp_path: Path) -> None:
    path = tmp_path / "cuhk.json"
    path.write_text(json.dumps({"results": {"v_UmAH95xls": [0, 0, 1], "---9CpRcKoU": [1, 0, 0]}, "class": CLASSES}))
    assert read_video_scores(path, "v_").of("v_UmAH95xls").tolist() == [0, 0, 1]


def test_json_of_tcanet_holds_logits(tmp_path: Path) -> None:
    path = tmp_path / "validation94.32.json"
    path.write_text(json.dumps({"results": {"a": [[1.0, 1.0 - np.log(2), 1.0 - np.log(4)]]}, "class": CLASSES}))
    assert read_video_scores(path).of("a") == pytest.approx([4 / 7, 2 / 7, 1 / 7])


def test_numpy_of_untrimmednet(tmp_path: Path) -> None:
    rows = np.arange(3 * 101).reshape(3, 101) / 512
    np.save(tmp_path / "uNet_test.npy", rows)
    found = read_video_scores(tmp_path / "uNet_test.npy")
    assert found.class_names[::19] == ("BaseballPitch", "VolleyballSpiking")
    assert found.of("video_test_0000002")[[0, -1]].tolist() == [107 / 512, 197 / 512]


def test_scores_in_percent_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"results": {"a": [90, 9, 1]}, "class": CLASSES}))
    with pytest.warns(UserWarning, match=r"a\.json: scores of videos reach 90, which takes detections above 1"):
        read_video_scores(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"results": {"a": [1]}}, r"expected \{'results'"),
        ({"results": {"a": [1, 2]}, "class": ["x"]}, "video 'a': expected 1 number of at least 0, found"),
        ({"results": {"a": ["x"]}, "class": ["x"]}, "video 'a': expected 1 number of"),
        ({"results": {"a": [[1, 2]]}, "class": ["x"]}, "video 'a': expected 1 number of"),
        ({"results": {"a": [[1e999]]}, "class": ["x"]}, "video 'a': expected 1 number of"),
        ({"results": {"a": [-1]}, "class": ["x"]}, "video 'a': expected 1 number of"),
        ([], r"expected \{'results'"),
        ({"results": {"a": []}, "class": []}, "'class' is an empty list"),
        ({"results": {"a": [1, 0]}, "class": ["x", ""]}, "a name of 'class' is empty"),
        ({"results": {"a": [1, 0]}, "class": ["x", "x"]}, "'class' names 'x' twice"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: Any, message: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        read_video_scores(tmp_path / "a.json")
    np.save(tmp_path / "a.npy", np.zeros((3, 20)))
    with pytest.raises(InputError, match=r"expected \(N, 101\) scores .*, found \(3, 20\)"):
        read_video_scores(tmp_path / "a.npy")


def test_from_outside(call: Any, tmp_path: Path, proposals: Path, annotations: Path, features: Path) -> None:
    scores = write(tmp_path / "scores.json", annotations)
    options = ("--min-score", 0, "--format", "json")
    plain, fused = tmp_path / "plain.json", tmp_path / "fused.json"
    assert call("detect", proposals, features / "video4.npy", "--out", plain, *options).code == 0
    found = call("detect", proposals, features / "video4.npy", "--out", fused, "--video-scores", scores, *options)
    assert found.code == 0, found
    before, after = (read_results(path)["video4"] for path in (plain, fused))
    assert set(before.class_names) == {"action"}
    assert len(after) == 2 * len(before)
    np.testing.assert_allclose(after.of("run").scores, np.sqrt(before.scores), rtol=1e-5)
    np.testing.assert_allclose(after.of("jump").scores, np.sqrt(0.25 * before.scores), rtol=1e-5)
    evaluated = call("evaluate", proposals, "--video-scores", scores, "--fusion.classes-per-video", 3)
    assert evaluated.code == 0, evaluated
    assert set(read_results(proposals / "detections.json")["video4"].class_names) == set(CLASSES)


def test_a_video_without_scores_fails_alone(
    call: Any, refused: Any, tmp_path: Path, proposals: Path, features: Path
) -> None:
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps({"results": {"video4": [1, 0, 0]}, "class": CLASSES}))
    out = tmp_path / "out.json"
    files = features / "video4.npy", features / "video5.npy"
    found = call("detect", proposals, *files, "--out", out, "--video-scores", scores)
    assert found.code == 1
    assert "no scores of video 'video5'" in found.err
    assert list(read_results(out)) == ["video4"]
    assert "no scores of video" in refused("evaluate", proposals, "--video-scores", scores)
    scores.write_text(json.dumps({"results": {}, "class": ["jmup", "run"]}))
    told = refused("evaluate", proposals, "--video-scores", scores)
    assert "scores.json: no scores of class 'jump', did you mean 'jmup'?" in told


def test_a_model_with_classes_needs_none(refused: Any, tmp_path: Path, trained: Path, annotations: Path) -> None:
    scores = write(tmp_path / "scores.json", annotations)
    assert "this model has 2 of its own" in refused("evaluate", trained, "--video-scores", scores)
