"""Calibration: measured by training and by its own verb, kept in model.json, used by detection."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actionformer import load, read_results, train
from actionformer.core.calibration import Calibration, Reliability, ScoreCurve, Threshold
from actionformer.core.errors import InputError
from actionformer.model_directory import load_settings, replace_card
from actionformer.settings.config import Config

Command = Callable[..., Any]
NOTHING = Reliability((), (), ())


def with_calibration(run: Path, features: Path) -> Calibration:
    """Scores become their halves; of jump the upper half is shown, of run nothing."""
    jumps = load(run).detect(features / "video4.npy").of("jump").scores
    measured = Calibration(
        tiou=0.5,
        subset=("validation",),
        videos=2,
        actions=30,
        curve=ScoreCurve((0.0, 1.0), (0.0, 0.5)),
        overall=Threshold(0.3, 30, 20, 15),
        classes={"jump": Threshold(float(np.median(jumps)) / 2, 30, 20, 15), "run": Threshold(1.0, 20, 0, 0)},
        before=NOTHING,
        after=NOTHING,
    )
    replace_card(run, replace(load_settings(run)[1], calibration=measured))
    return measured


def test_it_is_read_as_it_was_written(run: Path, features: Path) -> None:
    measured = with_calibration(run, features)
    assert load_settings(run)[1].calibration == measured
    content = json.loads((run / "model.json").read_text("utf-8"))
    content["calibration"]["curve"]["probabilities"] = [0.5, 0.1]
    (run / "model.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(InputError, match=r"not a model's description.*probabilities do not fall"):
        load_settings(run)


def test_people_are_shown_what_reaches_the_threshold_of_its_class(call: Command, run: Path, features: Path) -> None:
    path = features / "video4.npy"
    raw = load(run).detect(path)
    measured = with_calibration(run, features)
    result = call("detect", run, path)
    jumps = len(raw.of("jump"))
    assert result.out.count("jump") == (jumps + 1) // 2
    assert "run" not in result.out
    hidden = len(raw) - (jumps + 1) // 2
    assert f"{hidden} more score below the threshold of their class and are left out" in result.err
    assert result.out.count("jump") == len(load(run).shown(raw))
    assert call("watch", run, path, "--format", "table").out.count("jump") == result.out.count("jump")
    assert measured.thresholds(("jump",))[0] < 0.5


def test_scores_are_written_calibrated_and_in_the_same_order(
    call: Command, run: Path, features: Path, tmp_path: Path
) -> None:
    path = features / "video4.npy"
    raw = load(run).detect(path)
    measured = with_calibration(run, features)
    assert call("detect", run, path, "--out", tmp_path / "a.json").code == 0
    assert call("detect", run, path, "--raw-scores", "--out", tmp_path / "raw.json").code == 0
    found = read_results(tmp_path / "a.json", raw.class_names)["video4"]
    assert found.to_dict() == measured.calibrated(raw).to_dict()
    assert read_results(tmp_path / "raw.json", raw.class_names)["video4"].to_dict() == raw.to_dict()


def test_min_score_goes_before_thresholds_and_means_calibrated_scores(call: Command, run: Path, features: Path) -> None:
    path = features / "video4.npy"
    with_calibration(run, features)
    scores = load(run).detect(path).scores
    least = float((scores[2] + scores[3]) / 4)
    assert len(call("detect", run, path, "--format", "csv", "--min-score", least).out.splitlines()) == 1 + 3
    result = call("detect", run, path, "--classes", "run", "--format", "srt")
    assert "nothing reaches the threshold of its class" in result.err


def test_a_job_is_not_continued_with_another_calibration(
    call: Command, refused: Command, run: Path, features: Path, tmp_path: Path
) -> None:
    job = ("detect", run, features, "--out", tmp_path / "a.jsonl")
    assert call(*job).code == 0
    with_calibration(run, features)
    assert "was begun without a calibration, now there is one: a job can only" in refused(*job, "--resume")
    assert call(*job, "--overwrite").code == 0
    before = load_settings(run)[1]
    assert before.calibration is not None
    replace_card(
        run, replace(before, calibration=replace(before.calibration, curve=ScoreCurve((0.0, 1.0), (0.0, 0.6))))
    )
    said = refused(*job, "--resume")
    assert "was begun with another calibration than there is now: a job can only continue unchanged; --ov" in said
    replace_card(run, replace(before, calibration=None))
    assert "was begun with a calibration, now there is none: " in refused(*job, "--resume")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Annotations and features of two training and three evaluation videos, nine actions each."""
    folder, rng = tmp_path_factory.mktemp("many"), np.random.default_rng(0)
    database: dict[str, Any] = {}
    for number in range(5):
        starts = 5.0 * np.arange(9) + rng.uniform(0, 2, 9)
        actions = [
            {"segment": [start, start + 2.5], "label": ("jump", "run")[i % 2]}
            for i, start in enumerate(starts.tolist())
        ]
        subset = "training" if number < 2 else "validation"
        database[f"v{number}"] = {"subset": subset, "duration": 48.5, "annotations": actions}
        array = rng.standard_normal((96, 6)).astype(np.float32)
        for action in actions:
            start, end = (round(2 * float(time)) for time in action["segment"])
            array[start:end, ("jump", "run").index(action["label"])] += 4
        np.save(folder / f"v{number}.npy", array)
        (folder / f"v{number}.json").write_text('{"fps": 10, "stride": 5, "num_frames": 10}', "utf-8")
    (folder / "annotations").mkdir()
    (folder / "annotations" / "a.json").write_text(json.dumps({"database": database}), "utf-8")
    return folder


def test_training_measures_it_and_the_verb_measures_the_same(
    call: Command, many: Path, tiny: Config, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    longer = tiny.replace(training={"epochs": 20, "learning_rate": 3e-3, "evaluate_every": 0})
    train(longer, many / "annotations" / "a.json", many, out)
    measured = load_settings(out)[1].calibration
    assert measured is not None
    assert load_settings(out / "best")[1].calibration == measured
    assert (measured.videos, measured.actions, measured.subset) == (3, 27, ("validation",))
    assert not measured.classes["jump"].own  # 15 actions
    assert measured.classes["jump"].threshold == measured.overall.threshold
    result = call("calibrate", out)
    assert result.code == 0, result.err
    assert load_settings(out)[1].calibration == measured
    assert "too few actions (2 classes): the threshold of all together" in result.out
    assert f"expected calibration error {measured.before.error:.3f}" in result.out
    assert f"{100 * measured.overall.precision:.1f}" in result.out


def test_videos_that_were_learned_from_are_no_measure(call: Command, many: Path, tiny: Config, tmp_path: Path) -> None:
    out = tmp_path / "run"
    config = tiny.replace(
        data={"train_subset": ["validation"]}, training={"epochs": 20, "learning_rate": 3e-3, "evaluate_every": 0}
    )
    train(config, many / "annotations" / "a.json", many, out)
    assert load_settings(out)[1].calibration is None
    result = call("calibrate", out)
    assert (
        "was trained on subset validation, where its scores and figures are too good: give --subset another"
        in result.err
    )


def test_too_few_actions_leave_all_as_it_was(refused: Command, run: Path) -> None:
    before = (run / "model.json").read_bytes()
    assert "8 actions in 2 videos: too few to calibrate on" in refused("calibrate", run)
    assert (run / "model.json").read_bytes() == before


def test_an_impossible_overlap_is_refused_before_anything_is_read(call: Command, tmp_path: Path) -> None:
    result = call("calibrate", tmp_path / "nothing", "--tiou", 1.5)
    assert result.code == 2
    assert "thresholds lie above 0 and up to 1, found 1.5" in result.err
