"""`actionformer compare` from outside: made data, three detectors, tiny networks."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from commands import Command, Refused
from moving import write_actions, write_moving

from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.model_directory import load_settings
from actionformer.recipes.advise import advise
from actionformer.recipes.compare import compare, grouped
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.evaluated import read_evaluated
from actionformer.recipes.train import train
from actionformer.settings.config import Config

THREE = "actionformer,tridet,temporalmaxer"
SETTINGS: dict[str, dict[str, Any]] = {
    "model": {"width": 16},
    "training": {"epochs": 2, "warmup_epochs": 0, "evaluate_every": 0},
}
OPTIONS = ("--model.width", 16, "--training.epochs", 2, "--training.warmup-epochs", 0, "--training.evaluate-every", 0)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Memory is measured in a test of its own: a process that imports torch takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("actionformer.recipes.costs._peak_mib", lambda *_: 12.3)
        yield


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, annotations: Path, features: Path) -> Path:
    """A comparison of two detectors with one seed, for reading only."""
    out = tmp_path_factory.mktemp("compared") / "out"
    compare(THREE[:19], annotations=annotations, features=features, out=out, seeds=1, settings=SETTINGS, draws=50)
    return out


@pytest.fixture
def folder(begun: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return shutil.copytree(begun, tmp_path / "out")


def versions(out: Path) -> dict[str, int]:
    return {str(path.parent.relative_to(out)): path.stat().st_mtime_ns for path in out.glob("*/*/model.safetensors")}


def test_a_later_call_adds_a_detector_and_a_seed(
    folder: Path, annotations: Path, features: Path, call: Command
) -> None:
    before = versions(folder)
    assert before.keys() == {"actionformer/seed0", "tridet/seed0"}
    data = ("--annotations", annotations, "--features", features, "--out", folder, "--draws", 100)
    result = call("compare", THREE, *data, "--seeds", 2, *OPTIONS)
    assert result.code == 0, result.err
    after = versions(folder)
    assert after.keys() == {f"{name}/seed{seed}" for name in THREE.split(",") for seed in (0, 1)}
    assert {run: after[run] for run in before} == before
    assert "tridet, seed 0 (2 of 6): is there" in result.err

    content = read_json(folder / "comparison.json")
    assert (content["videos"], content["actions"], content["draws"]) == (2, 8, 100)
    rows = {row["name"]: row for row in content["entries"]}
    for name, row in rows.items():
        metrics = [load_settings(folder / name / f"seed{seed}")[1].metrics for seed in (0, 1)]
        assert row["maps"] == [[pytest.approx(one[f"map@{tiou:g}"]) for tiou in content["tiou"]] for one in metrics]
        assert row["mean"] == pytest.approx(sum(one["map"] for one in metrics) / 2)
        assert row["costs"]["peak_mib"] == 12.3
        assert row["costs"]["multiply_adds"] > 0
        assert row["costs"]["minutes_per_second"] > 0
        assert 0 < row["costs"]["training_minutes"] < 5
    best, *_ = content["entries"]
    assert best["name"] == content["reference"] == max(rows, key=lambda name: float(rows[name]["mean"]))
    assert best["test"] is None
    for text in (result.out, (folder / "comparison.md").read_text("utf-8")):
        assert all(re.search(rf"^\W*{name}\W.*{100 * rows[name]['mean']:.1f} ± ", text, re.MULTILINE) for name in rows)
        assert "There are only 2 videos" in text
    page = (folder / "comparison.html").read_text("utf-8")
    assert "what may be concluded" in page
    assert "with replacement" in page


def test_settings_are_those_of_train_auto(begun: Path, annotations: Path, features: Path) -> None:
    for name in THREE.split(",")[:2]:
        settings = {**SETTINGS, "model": {**SETTINGS["model"], "detector": name}}
        config = advise(annotations, features=features, settings=settings).config
        assert load_settings(begun / name / "seed0")[0] == config.replace(model={"input_dim": 6, "num_classes": 2})


def test_a_run_that_has_changed_is_refused_or_made_again_alone(
    folder: Path, annotations: Path, features: Path, refused: Refused, call: Command
) -> None:
    config = folder / "tridet" / "seed0" / "config.toml"
    config.write_text(re.sub(r"\nepochs = 2 ", "\nepochs = 3 ", config.read_text("utf-8")), "utf-8")
    data = ("compare", "actionformer,tridet", "--annotations", annotations, "--features", features, "--out", folder)
    same = (*data, "--seeds", 1, "--draws", 20, *OPTIONS)
    said = refused(*same)
    assert "tridet/seed0: was trained with training.epochs 3, now 2" in said
    assert "--overwrite makes what has changed again" in said
    before = versions(folder)
    assert call(*same, "--overwrite").code == 0
    after = versions(folder)
    assert after["actionformer/seed0"] == before["actionformer/seed0"]
    assert after["tridet/seed0"] > before["tridet/seed0"]


def test_a_comparison_that_was_stopped_goes_on(
    begun: Path, tmp_path: Path, annotations: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(out: Path) -> Any:
        data = {"annotations": annotations, "features": features, "out": out, "seeds": 1, "draws": 50}
        return compare("actionformer,tridet", settings=SETTINGS, **data)  # type: ignore[arg-type]

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("actionformer.recipes.run.write_overview", stopped)  # after the last model, before its state
        with pytest.raises(KeyboardInterrupt):
            again(tmp_path / "out")
    assert not (tmp_path / "out" / "tridet").exists()
    again(tmp_path / "out")
    for name in ("actionformer", "tridet"):
        weights = Path(name) / "seed0" / "model.safetensors"
        assert (tmp_path / "out" / weights).read_bytes() == (begun / weights).read_bytes()
    entries = [read_json(out / "comparison.json")["entries"] for out in (begun, tmp_path / "out")]
    whole, stopped_once = ({one["name"]: one["maps"] for one in rows} for rows in entries)
    assert whole == stopped_once


def test_runs_that_exist(begun: Path, tmp_path: Path, call: Command, refused: Refused) -> None:
    runs = [begun / name / "seed0" for name in ("actionformer", "tridet")]
    result = call("compare", "--from", *runs, "--out", tmp_path / "table", "--draws", 50)
    assert result.code == 0, result.err
    found, before = (read_json(out / "comparison.json")["entries"] for out in (tmp_path / "table", begun))
    assert [(one["name"], one["maps"], one["test"]) for one in found] == [
        (one["name"], one["maps"], one["test"]) for one in before
    ]
    whole = call("compare", "--from", begun, "--draws", 50)
    assert whole.out.partition("costs")[0] == result.out.partition("costs")[0]
    assert "is given twice" in refused("compare", "--from", runs[0], runs[0])
    assert "give no detectors" in refused("compare", "tridet", "--from", *runs)
    assert "no model directory" in refused("compare", "--from", tmp_path)


@pytest.mark.parametrize("more", [{"settings": {"evaluation": {"tiou": [0.5]}}}, {"validation": 0.25}])
def test_runs_that_exist_are_compared_as_they_are(more: Any) -> None:
    with pytest.raises(InputError, match="give no detectors, videos, proposals, --validation or settings with it"):
        compare(from_=["runs/mine"], **more)


def test_a_run_that_is_given_by_two_paths_is_given_twice(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "run")
    runs: Any = [SimpleNamespace(path=tmp_path / name) for name in ("run", "other", "link")]
    with pytest.raises(InputError, match="run: is given twice"):
        grouped(runs)


def test_runs_of_one_entry_differ_by_the_seed(folder: Path, tmp_path: Path) -> None:
    run = folder / "tridet" / "seed0"
    other = shutil.copytree(run, tmp_path / "mine")
    of_seed(other, 5)
    found = compare(from_=[run, other, folder / "actionformer" / "seed0"], draws=20)
    assert {one.name: one.seeds for one in found.entries} == {"tridet": (0, 5), "actionformer": (0,)}


def of_seed(folder: Path, seed: int) -> None:
    """Makes a run one of another seed."""
    config = (folder / "config.toml").read_text("utf-8")
    (folder / "config.toml").write_text(re.sub(r"\nseed = 0 ", f"\nseed = {seed} ", config), "utf-8")


def test_a_run_with_the_weights_of_another_model_is_no_seed_of_a_fresh_one(
    folder: Path, annotations: Path, features: Path, tmp_path: Path
) -> None:
    fresh, tuned = folder / "tridet" / "seed0", tmp_path / "tuned"
    config = load_settings(fresh)[0].replace(training={"seed": 1})
    train(config, annotations, features, tuned, init=fresh)
    found = compare(from_=[fresh, tuned], draws=20)
    assert {one.name: one.seeds for one in found.entries} == {"tridet": (0,), "tuned": (1,)}


def test_a_run_with_the_weights_of_another_model_is_not_taken_for_one_of_the_comparison(
    folder: Path, annotations: Path, features: Path
) -> None:
    run = folder / "tridet" / "seed0"
    train(load_settings(run)[0], annotations, features, folder / "tridet" / "seed1", init=run)

    def again(**options: Any) -> Any:
        data: Any = {"annotations": annotations, "features": features, "out": folder, "seeds": 2, "draws": 20}
        return compare("tridet", settings=SETTINGS, **data, **options)

    config = folder / "tridet" / "seed1" / "config.toml"
    config.write_text(re.sub(r"\nseed = 0 ", "\nseed = 1 ", config.read_text("utf-8")), "utf-8")
    with pytest.raises(InputError, match=r"seed1: began with weights of a model \(--init.*, now fresh.*--overwrite"):
        again()
    again(overwrite=True)
    assert "init_hash" not in load_settings(folder / "tridet" / "seed1")[1].training


def test_a_model_that_is_not_of_the_last_epoch_is_said(folder: Path, tmp_path: Path) -> None:
    run = folder / "tridet" / "seed0"
    other = shutil.copytree(run, tmp_path / "mine")
    of_seed(other, 5)
    card = read_json(other / "model.json")
    assert card["training"]["epochs"] == 2
    card["training"]["epochs"] = 1
    (other / "model.json").write_text(json.dumps(card), "utf-8")
    found = compare(from_=[run, other], draws=20)
    assert len(found.notes) == 1
    assert f"{other} (epoch 1 of 2)" in found.notes[0]
    assert not compare(from_=[run, folder / "actionformer" / "seed0"], draws=20).notes


def test_runs_that_were_not_evaluated_alike_are_refused(folder: Path, annotations: Path, tmp_path: Path) -> None:
    one, other = folder / "actionformer" / "seed0", folder / "tridet" / "seed0"
    with pytest.warns(UserWarning, match="was trained on subset training"):
        evaluate(other, subset="training")
    with pytest.raises(InputError, match=r"last evaluation was of other videos.*actionformer evaluate"):
        compare(from_=[one, other])
    evaluate(other, tiou="0.5,0.7")
    with pytest.raises(InputError, match="or thresholds than its settings name"):
        compare(from_=[one, other])
    (other / "config.toml").write_text(
        re.sub(r"\ntiou = \[.*?\]", "\ntiou = [0.5, 0.7]", (other / "config.toml").read_text("utf-8")), "utf-8"
    )
    with pytest.raises(InputError, match=r"tiou is 0\.3, 0\.4, 0\.5, 0\.6, 0\.7 in one, and 0\.5, 0\.7"):
        compare(from_=[one, other])
    (other / "detections.json").unlink()
    with pytest.raises(InputError, match="holds no detections"):
        compare(from_=[one, other])


def test_what_was_learned_from_is_said(begun: Path, annotations: Path) -> None:
    found = read_evaluated(begun / "tridet" / "seed0", annotations)
    assert not found.learned
    assert len(found.truth) == 2


def test_all_hold_the_same_videos_out(all_training: Path, features: Path, tmp_path: Path, tiny: Config) -> None:
    (tmp_path / "mine.toml").write_text(tiny.to_toml(), "utf-8")
    names = ["temporalmaxer", "tridet_small", str(tmp_path / "mine.toml")]
    found = compare(
        names,
        annotations=all_training,
        features=features,
        out=tmp_path / "out",
        seeds=2,
        validation=0.34,
        draws=20,
        settings={**SETTINGS, "training": {**SETTINGS["training"], "epochs": 1, "seed": 7}},
    )
    assert {one.name: one.seeds for one in found.entries} == dict.fromkeys(
        ("temporalmaxer", "tridet_small", "mine"), (7, 8)
    )
    cards = [load_settings(run)[1] for run in sorted((tmp_path / "out").glob("*/seed*"))]
    assert len(cards) == 6
    assert len({card.held_out for card in cards}) == 1
    assert found.videos == len(cards[0].held_out) == 2


def test_features_of_videos_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "videos").mkdir()
    for number in range(4):
        write_moving(tmp_path / "videos" / f"clip{number}.mp4", number)
    write_actions(tmp_path / "annotations.json", tmp_path / "videos")
    monkeypatch.setattr("actionformer.extraction.encode._processes", lambda *_: 0)
    compare(
        "actionformer,temporalmaxer",
        annotations=tmp_path / "annotations.json",
        videos=tmp_path / "videos",
        out=tmp_path / "out",
        seeds=1,
        draws=20,
        settings={**SETTINGS, "training": {**SETTINGS["training"], "epochs": 1}},
    )
    for run in (tmp_path / "out").glob("*/seed0"):
        assert load_settings(run)[1].training["features"] == [str(tmp_path / "out" / "features")]
        assert not (run / "features").exists()


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        ("actionformr", (), "no detector, preset or file 'actionformr', did you mean 'actionformer'"),
        ("tridet,tridet", (), "each entry needs a name of its own"),
        ("tridet", ("--seeds", 0), "seeds must be at least 1, found 0"),
        ("tridet", ("--draws", 0), "draws must be at least 1, found 0"),
        ("tridet,temporalmaxer", ("--model.window", 5), "unknown setting model.window"),
        ("tridet", ("--model.detector", "bmn"), "model.detector is bmn, but tridet is to be trained"),
        (
            "small,activitynet_tsp",
            ("--data.fps", 10, "--data.stride", 5, "--data.num-frames", 10),
            "evaluation.tiou is",
        ),
        ("../tridet", (), "no detector, preset or file"),
    ],
)
def test_calls_that_cannot_be_meant(
    names: str, options: tuple[Any, ...], said: str, annotations: Path, features: Path, tmp_path: Path, refused: Refused
) -> None:
    data = ("--annotations", annotations, "--features", features, "--out", tmp_path / "out")
    assert said in refused("compare", names, *data, *options)
    assert not (tmp_path / "out").exists()


def test_a_run_is_no_folder_of_runs(begun: Path, annotations: Path, features: Path, refused: Refused) -> None:
    data = ("--annotations", annotations, "--features", features, "--out", begun / "tridet" / "seed0")
    assert "is a run, and what is compared are runs in a folder" in refused("compare", "tridet", *data)


def test_a_training_that_fails_is_named(
    annotations: Path, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverged(*_: object, **__: object) -> None:
        raise InputError("training diverged")

    monkeypatch.setattr("actionformer.training.loop.Trainer.step", diverged)
    out = tmp_path / "out"
    with pytest.raises(InputError, match="tridet, seed 0: training diverged"):
        compare("tridet", annotations=annotations, features=features, out=out, seeds=1, settings=SETTINGS)


def test_something_to_compare_is_needed(refused: Refused, annotations: Path, features: Path, tmp_path: Path) -> None:
    assert "give the detectors to compare" in refused("compare", "--annotations", annotations)
    content = json.loads(annotations.read_text("utf-8"))
    content["database"] = {"video0": content["database"]["video0"]}
    (tmp_path / "one.json").write_text(json.dumps(content), "utf-8")
    data = ("--annotations", tmp_path / "one.json", "--features", features, "--out", tmp_path / "out")
    assert "no video to evaluate on in subset" in refused("compare", "tridet", *data)
