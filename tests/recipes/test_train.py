"""A run from the outside: what training leaves, what it refuses, and what it never touches."""

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from stopping import stopped_in_epoch

import actionformer
from actionformer.core.errors import InputError
from actionformer.formats.annotations import read_annotations
from actionformer.inference.loading import load
from actionformer.model_directory import load_model, load_settings
from actionformer.recipes.describe import describe
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.search import Search
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.training import metrics_log


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lines(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]


def short(tiny: Config, **changes: Any) -> Config:
    """One epoch, no warm-up."""
    return tiny.replace(training={"epochs": 1, "warmup_epochs": 0}).replace(**changes)


def changed(path: Path, annotations: Path, **subsets: str) -> Path:
    """The annotations with other subsets and labels: `training="test"`, `jump="hop"`."""
    text = annotations.read_text("utf-8")
    for before, after in subsets.items():
        text = text.replace(f'"{before}"', f'"{after}"')
    path.write_text(text, "utf-8")
    return path


def test_what_a_run_leaves(trained: Path, annotations: Path, features: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    model = {"config.toml", "model.safetensors", "model.json"}
    evaluation = {"detections.json", "evaluation.json", "overview.json"}
    assert names == model | evaluation | {"metrics.jsonl", "events", "resume", "best"}
    assert {path.name for path in (trained / "best").iterdir()} == {"config.toml", "model.safetensors", "model.json"}
    assert list((trained / "events").glob("events.out.tfevents.*"))
    card = json.loads((trained / "model.json").read_text("utf-8"))
    assert card["class_names"] == ["jump", "run"]
    assert card["features"] == {"fps": 10, "stride": 5, "num_frames": 10, "dim": 6}
    assert (card["training"]["videos"], card["training"]["actions"], card["training"]["epochs"]) == (4, 12, 3)
    config = load_config(trained)
    assert (config.model.input_dim, config.model.num_classes) == (6, 2)


def test_metrics_of_every_epoch(trained: Path) -> None:
    rows = lines(trained)
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    expected = {"loss", "classification_loss", "regression_loss", "gradient_norm", "learning_rate", "normalizer"}
    assert all(expected | {"seconds"} <= row.keys() for row in rows)
    assert all(np.isfinite(value) for row in rows for value in row.values())
    assert ["map" in row for row in rows] == [False, True, True]
    assert {f"map@0.{i}" for i in range(3, 8)} <= rows[-1].keys()


def test_normalisation_is_measured_on_the_training_subset(trained: Path, annotations: Path, features: Path) -> None:
    rows = np.concatenate([np.load(features / f"video{i}.npy") for i in range(4)])
    weights = load_file(trained / "model.safetensors")
    np.testing.assert_allclose(weights["normalizer.mean"], rows.mean(0), atol=1e-5)
    np.testing.assert_allclose(weights["normalizer.deviation"], rows.std(0), rtol=1e-4)


def test_figures_are_those_of_evaluation(run: Path, annotations: Path) -> None:
    report = evaluate(run)
    assert report.average == lines(run)[-1]["map"]
    assert report.map == tuple(lines(run)[-1][f"map@0.{i}"] for i in range(3, 8))
    assert json.loads((run / "evaluation.json").read_text("utf-8"))["average"] == report.average
    again = actionformer.score(annotations, run / "detections.json", subset="validation")
    assert again.average == pytest.approx(report.average, abs=1e-12)
    best = json.loads((run / "best" / "model.json").read_text("utf-8"))
    assert best["metrics"]["map"] == max(row.get("map", 0) for row in lines(run))
    assert evaluate(run / "best").average == best["metrics"]["map"]


def test_model_directory_is_self_contained(tmp_path: Path, tiny: Config, annotations: Path, features: Path) -> None:
    returned = train(short(tiny), annotations, features, tmp_path / "run")
    for name in ("config.toml", "model.safetensors", "model.json"):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        shutil.move(tmp_path / "run" / name, tmp_path / "elsewhere" / name)
    loaded = load(tmp_path / "elsewhere")
    array = np.load(features / "video4.npy")
    found, expected = loaded.detect(array), returned.detect(array)
    assert len(found) == len(expected) > 0
    np.testing.assert_array_equal(found.segments, expected.segments)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert found.class_names == ("jump", "run")


def test_training_can_be_repeated(tmp_path: Path, tiny: Config, annotations: Path, features: Path) -> None:
    weights = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(short(tiny, training={"seed": seed}), annotations, features, tmp_path / name)
        weights.append((tmp_path / name / "model.safetensors").read_bytes())
    assert weights[0] == weights[1] != weights[2]


@pytest.mark.parametrize(
    "changes",
    [
        {"training": {"precision": "bfloat16"}},
        {"training": {"average_decay": 0.0, "optimizer": "adam", "evaluate_every": 0}},
        {"model": {"block": "convolution", "neck": "fpn"}},
        {"model": {"mask_padding": "published", "offsets": "relu", "position": "sinusoidal"}},
        {"model": {"stem_levels": True, "regression_ranges": [[0, 4], [0, 4], [4, 8], [8, 99]], "position": "learned"}},
        {"data": {"resize": 64, "normalize": False}},
        {"model": {"num_classes": 1}},
        {"model": {"num_classes": 4}, "training": {"empty_class_prior": True}},
    ],
)
def test_kinds_of_training(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path, changes: dict[str, Any]
) -> None:
    detector = train(short(tiny, **changes), annotations, features, tmp_path / "run")
    assert np.isfinite(lines(tmp_path / "run")[0]["loss"])
    evaluate(tmp_path / "run")
    assert detector.model.dtype == torch.float32
    assert len(detector.class_names) == detector.config.model.num_classes


def test_videos_and_batches_without_any_action(tmp_path: Path, tiny: Config, features: Path) -> None:
    database: dict[str, Any] = {f"video{i}": {"subset": "training"} for i in range(3)}
    database["video3"] = {"subset": "training", "annotations": [{"segment": [1, 3], "label": "jump"}]}
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps({"database": database}), "utf-8")
    with (
        pytest.warns(UserWarning, match=r"no video in subset validation: training runs without evaluation"),
        pytest.warns(UserWarning, match=r"1 of 1 classes has fewer than 3 actions to learn from: jump \(1\)"),
    ):
        train(short(tiny, training={"batch_size": 1}), path, features, tmp_path / "run")
    assert np.isfinite(lines(tmp_path / "run")[0]["loss"])
    assert "map" not in lines(tmp_path / "run")[0]
    assert not (tmp_path / "run" / "best").exists()


def test_nothing_to_learn(tmp_path: Path, tiny: Config, features: Path) -> None:
    videos = {f"video{i}": {"subset": "training", "annotations": []} for i in range(2)}
    source = tmp_path / "background.json"
    source.write_text(json.dumps({"database": videos}))
    with pytest.raises(InputError, match=r"background\.json: no action in the 2 videos of subset training to learn"):
        train(tiny, source, features, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_several_sources_with_projections(tmp_path: Path, tiny: Config, annotations: Path, features: Path) -> None:
    config = short(tiny, model={"input_dim": [6, 6], "projection": [8, 8]})
    train(config, annotations, [features, features], tmp_path / "run")
    assert evaluate(tmp_path / "run").counts.detections > 0
    with pytest.raises(InputError, match=r"6 channels, expected 12"):
        train(config, annotations, features, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_missing_features(tmp_path: Path, tiny: Config, annotations: Path, features: Path) -> None:
    fewer = shutil.copytree(features, tmp_path / "fewer")
    for video in ("video1", "video5"):
        (fewer / f"{video}.npy").unlink()
    with pytest.raises(InputError, match=r"1 of 4 videos has no features in .*: video1"):
        train(short(tiny), annotations, fewer, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.warns(UserWarning, match="2 videos without features skipped"):
        train(short(tiny), annotations, fewer, tmp_path / "run", skip_missing=True)
    with pytest.raises(InputError, match=r"1 of 2 videos .*: video5"):
        evaluate(tmp_path / "run")
    report = evaluate(tmp_path / "run", skip_missing=True)
    assert (report.counts.skipped_videos, report.counts.skipped_ground_truths) == (1, 4)
    assert report.counts.ground_truths == 8
    assert any("with 4 ground truths: skipped, and counted as missed" in warning for warning in report.warnings)


# --- where the run is written


def test_existing_run_is_left_alone(run: Path, tiny: Config, annotations: Path, features: Path) -> None:
    before = content(run)
    with pytest.raises(InputError, match=r"already exists; --resume continues that run, --overwrite starts again"):
        train(tiny, annotations, features, run)
    with pytest.raises(InputError, match=r"give one of them"):
        train(tiny, annotations, features, run, resume=True, overwrite=True)
    assert content(run) == before


@pytest.mark.parametrize("flag", [{"resume": True}, {"overwrite": True}])
def test_folder_that_is_no_run_is_left_alone(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path, flag: dict[str, Any]
) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work", "utf-8")
    for out in (folder, folder / "thesis.txt"):
        with pytest.raises(InputError, match=r"is not a run directory and is left alone"):
            train(tiny, annotations, features, out, **flag)
    assert content(folder) == {"thesis.txt": b"years of work"}


def test_overwrite_removes_the_run_and_nothing_else(run: Path, tiny: Config, annotations: Path, features: Path) -> None:
    (run / "notes.txt").write_text("mine", "utf-8")
    evaluate(run)
    config = short(tiny, training={"evaluate_every": 0, "seed": 5}, data={"test_subset": ["nowhere"]})
    with pytest.warns(UserWarning, match="training runs without evaluation"):
        train(config, annotations, features, run, overwrite=True)
    assert (run / "notes.txt").read_text("utf-8") == "mine"
    assert len(lines(run)) == 1
    assert len(list((run / "events").iterdir())) == 1
    assert not (run / "detections.json").exists()
    assert not (run / "evaluation.json").exists()


def test_overwrite_keeps_the_run_until_everything_is_checked(
    run: Path, tmp_path: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    before = content(run)
    broken = shutil.copytree(features, tmp_path / "broken")
    array = np.load(broken / "video1.npy")
    array[7] = np.nan
    np.save(broken / "video1.npy", array)
    with pytest.raises(InputError, match=r"video1.npy: row 7"):
        train(tiny, annotations, broken, run, overwrite=True)
    with pytest.raises(InputError, match=r"the settings call for"):
        train(tiny.replace(model={"width": 32}), annotations, features, run, init=run, overwrite=True)
    wrong = tiny.replace(training={"regression_weight": -1.0, "accumulate": 2})
    with pytest.raises(InputError, match=r"below 0 needs the losses of a whole step"):
        train(wrong, annotations, features, run, overwrite=True)
    with pytest.raises(InputError, match=r"cuda:77"):
        train(tiny, annotations, features, run, overwrite=True, device="cuda:77")
    assert content(run) == before


@pytest.mark.filterwarnings("ignore:settings. training.learning_rate is")
def test_a_run_may_start_from_the_one_it_replaces(run: Path, tiny: Config, annotations: Path, features: Path) -> None:
    train(short(tiny, training={"learning_rate": 1e-9}), annotations, features, run, init=run, overwrite=True)
    assert len(lines(run)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"learning_rate": 0.5}}, r"training.learning_rate 0.001, now 0.5"),
        ({"training": {"epochs": 9}}, r"training.epochs 2, now 9"),
        ({"model": {"window": 7}}, r"model.window 5, now 7"),
        ({"data": {"min_overlap": 0.1}}, r"data.min_overlap 0.5, now 0.1"),
    ],
)
def test_resume_with_other_settings(
    run: Path, tiny: Config, annotations: Path, features: Path, changes: dict[str, Any], message: str
) -> None:
    before = content(run)
    with pytest.raises(InputError, match=message):
        train(tiny.replace(**changes), annotations, features, run, resume=True)
    assert content(run) == before


def test_resume_with_other_data(tmp_path: Path, run: Path, tiny: Config, annotations: Path, features: Path) -> None:
    with pytest.raises(InputError, match=r"other classes"):
        train(tiny, changed(tmp_path / "a.json", annotations, jump="hop"), features, run, resume=True)
    database = json.loads(annotations.read_text("utf-8"))
    database["database"]["video1"]["annotations"].pop()
    (tmp_path / "b.json").write_text(json.dumps(database), "utf-8")
    with pytest.raises(InputError, match=r"12 actions, now 11"):
        train(tiny, tmp_path / "b.json", features, run, resume=True)


def test_resume_of_a_finished_run_changes_nothing(run: Path, tiny: Config, annotations: Path, features: Path) -> None:
    before = content(run)
    train(tiny.replace(training={"workers": 1}), annotations, features, run, resume=True)
    after = content(run)
    assert {name: data for name, data in after.items() if not name.startswith("events")} == {
        name: data for name, data in before.items() if not name.startswith("events")
    }


def test_resume_from_a_broken_state(run: Path, tiny: Config, annotations: Path, features: Path) -> None:
    for data in (b"", b"nonsense", (run / "resume" / "state.pt").read_bytes()[:1000]):
        (run / "resume" / "state.pt").write_bytes(data)
        with pytest.raises(InputError, match=r"state.pt: .*--overwrite starts again") as error:
            train(tiny, annotations, features, run, resume=True)
        assert "\n" not in str(error.value)


# --- starting from another model


@pytest.mark.filterwarnings("ignore:settings. training.learning_rate is")
def test_init_keeps_what_fits(tmp_path: Path, trained: Path, tiny: Config, annotations: Path, features: Path) -> None:
    """Classes hop and run instead of jump and run: the row of run is copied, that of hop is fresh."""
    config = short(tiny, training={"learning_rate": 1e-12, "average_decay": 0.0, "evaluate_every": 0})
    renamed = changed(tmp_path / "a.json", annotations, jump="zip")  # sorts after run: other ids
    train(config, renamed, features, tmp_path / "run", init=trained)
    before, after = load_file(trained / "model.safetensors"), load_file(tmp_path / "run" / "model.safetensors")
    assert read_annotations(renamed).class_names == ("run", "zip")
    for name, tensor in before.items():
        if name.startswith("classifier.output."):
            torch.testing.assert_close(after[name][0], tensor[1], rtol=0, atol=1e-6)
            if name.endswith("weight"):
                assert (after[name][1] - tensor[0]).abs().max() > 1e-3
        else:
            torch.testing.assert_close(after[name], tensor, rtol=0, atol=1e-6, msg=name)


def test_a_run_knows_the_model_that_it_began_with_also_after_it_is_resumed(
    tmp_path: Path, trained: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    config, run = short(tiny, training={"epochs": 2, "evaluate_every": 0}), tmp_path / "run"
    with stopped_in_epoch(2):
        train(config, annotations, features, run, init=trained)
    begun = load_settings(run)[1].training
    train(config, annotations, features, run, resume=True)
    ended = load_settings(run)[1].training
    assert (begun["epochs"], ended["epochs"]) == (1, 2)
    assert begun["init_hash"] == ended["init_hash"]
    assert "init_hash" not in load_settings(trained)[1].training


def test_a_run_without_an_epoch_says_what_it_begins_again_from(
    tmp_path: Path, trained: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    config, run = short(tiny, training={"epochs": 1, "evaluate_every": 0}), tmp_path / "run"
    with stopped_in_epoch(1):
        train(config, annotations, features, run, init=trained)
    with pytest.warns(UserWarning, match="no epoch had ended there: training begins again, from fresh weights"):
        train(config, annotations, features, run, resume=True)


@pytest.mark.filterwarnings("ignore:settings. training.learning_rate is")
def test_init_with_another_input_width(
    tmp_path: Path, trained: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    config = short(tiny, training={"learning_rate": 1e-12, "average_decay": 0.0, "evaluate_every": 0})
    train(config, annotations, [features, features], tmp_path / "run", init=trained)
    before, after = load_file(trained / "model.safetensors"), load_file(tmp_path / "run" / "model.safetensors")
    fresh = {name for name, tensor in before.items() if after[name].shape != tensor.shape}
    assert fresh == {"normalizer.mean", "normalizer.deviation", "embedding.convs.0.weight"}
    for name in before.keys() - fresh:
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=1e-6, msg=name)


@pytest.mark.parametrize(
    "model",
    [
        {"width": 32},
        {"head_layers": 2},
        {"head_layers": 4},
        {"branch_blocks": 1, "regression_ranges": [[0, 4], [4, 99]]},
        {"branch_blocks": 3, "regression_ranges": [[0, 4], [4, 8], [8, 16], [16, 99]]},
        {"block": "convolution"},
    ],
)
def test_init_of_another_shape(
    tmp_path: Path, trained: Path, tiny: Config, annotations: Path, features: Path, model: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=r"settings"):
        train(tiny.replace(model=model), annotations, features, tmp_path / "run", init=trained)
    assert not (tmp_path / "run").exists()


# --- model directories


@pytest.mark.parametrize("name", ["config.toml", "model.safetensors", "model.json"])
def test_incomplete_model_directory(run: Path, name: str) -> None:
    (run / name).unlink()
    with pytest.raises(InputError, match=f"no model directory, {name} is not there"):
        load(run)


def test_the_folder_of_a_run_names_the_run(run: Path) -> None:
    with pytest.raises(InputError, match=f"; there is one in .*{run.name}"):
        load(run.parent)


def test_broken_model_directory(run: Path) -> None:
    whole = content(run)
    for name, data, message in [
        ("model.safetensors", whole["model.safetensors"][:-10], r"not a readable weights file"),
        ("model.json", b'{"features": {}}', r"not a model's description"),
        ("model.json", b'{"class_names": ["a"]}', r"names 1 class, model.num_classes is 2"),
        ("model.json", b'{"class_names": ', r"not valid JSON.*line 1"),
        ("config.toml", whole["config.toml"].replace(b"width = 16", b"width = 32"), r"the network has"),
        ("config.toml", whole["config.toml"].replace(b"window = ", b"windw = "), r"did you mean 'window'"),
    ]:
        (run / name).write_bytes(data)
        with pytest.raises(InputError, match=message) as error:
            load(run)
        assert str(run) in str(error.value)
        (run / name).write_bytes(whole[name])
    load_model(run)


def test_description(trained: Path) -> None:
    text = io.StringIO()
    Console(file=text, width=100).print(describe(trained))
    for part in ("2: jump, run", "fps 10", "stride 5", "actions, s"):
        assert part in text.getvalue()
    share = json.loads((trained / "model.json").read_text("utf-8"))["metrics"]["map@0.5"]
    assert re.search(rf"mAP@0\.5 +{100 * share:.2f}%", text.getvalue())


# --- detection in files


def test_names_of_videos_are_without_the_prefix(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    folder = tmp_path / "features"
    folder.mkdir()
    for path in features.iterdir():
        shutil.copy(path, folder / f"v_{path.name}")
    train(short(tiny, data={"prefix": "v_"}), annotations, folder, tmp_path / "run")
    found = Search(load(tmp_path / "run"), [folder]).found()
    assert sorted(found.detections) == [f"video{i}" for i in range(6)]
    assert found.failed == {}


def test_lines_cut_short_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 0}\n{"epoch": 1}\n{"epoch": 2}\n{"epo', "utf-8")
    assert metrics_log._lines_before(path, 2) == ['{"epoch": 0}\n', '{"epoch": 1}\n']


def test_training_and_detection_in_windows(tmp_path: Path, tiny: Config, annotations: Path, features: Path) -> None:
    config = short(tiny, data={"window": 16})
    train(config, annotations=annotations, features=features, out=tmp_path / "run")
    assert "window = 16" in (tmp_path / "run" / "config.toml").read_text("utf-8")
    assert load(tmp_path / "run").detect(np.zeros((100, 6), np.float32)).segments.shape[1] == 2
    assert lines(tmp_path / "run")[-1]["map"] >= 0


def test_a_video_is_seen_less_its_mean(tiny: Config, annotations: Path, features: Path, tmp_path: Path) -> None:
    """Features of every video moved by a vector of its own make the same model, which finds the same."""
    moved = shutil.copytree(features, tmp_path / "moved")
    for i, file in enumerate(sorted(moved.glob("*.npy"))):
        rows = np.load(file)
        np.save(file, rows + np.random.default_rng(i).normal(0, 9, 6).astype(np.float32))
    config = tiny.replace(data={"center_videos": True})
    one, other = (
        train(config, annotations, folder, tmp_path / folder.name[:5] / "run") for folder in (features, moved)
    )
    assert one.model.normalizer.mean.abs().max() == 0
    for name, weight in one.model.state_dict().items():
        torch.testing.assert_close(other.model.state_dict()[name], weight, atol=2e-4, rtol=0, msg=name)
    found, expected = (run.detect(folder / "video4.npy") for run, folder in ((other, moved), (one, features)))
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)
