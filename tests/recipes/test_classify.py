"""Models of proposals with a classifier of whole videos: trained beside or later, kept, used by detection."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused

from actionformer import InputError, classify, evaluate, load, read_results, train
from actionformer.core.run_files import CLASSIFIER, WEIGHTS
from actionformer.model_directory import load_settings
from actionformer.recipes.run import Run
from actionformer.settings.config import Config

CLASSES = ("jump", "run")
PROPOSALS: dict[str, Any] = {"model": {"num_classes": 1}}
BESIDE: dict[str, Any] = {"model": {"num_classes": 1}, "training": {"classifier": True}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten videos of one class each, jump in those of even number: annotations.json, and features of 6 channels.

    The first two channels say which class an action has, the third that there is one.
    """
    folder = tmp_path_factory.mktemp("made")
    (folder / "features").mkdir()
    rng, database = np.random.default_rng(0), dict[str, Any]()
    for number in range(10):
        length = 40 + 4 * number
        array = rng.standard_normal((length, 6)).astype(np.float32)
        starts = np.arange(4, length - 10, 12)
        starts += rng.integers(0, 5, len(starts))
        for start in starts:
            array[start : start + 6, [number % 2, 2]] += 4
        np.save(folder / f"features/video{number}.npy", array)
        (folder / f"features/video{number}.json").write_text('{"fps": 10, "stride": 5, "num_frames": 10}', "utf-8")
        actions = [
            {"segment": [s / 2 + 0.25, s / 2 + 3.25 + number / 100], "label": CLASSES[number % 2]}
            for s in starts.tolist()
        ]
        subset = "training" if number < 6 else "Validation"
        database[f"video{number}"] = {"subset": subset, "duration": length / 2 + 0.5, "annotations": actions}
    (folder / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    return folder


@pytest.fixture(scope="module")
def config(tiny: Config) -> Config:
    return tiny.replace(training={"epochs": 7, "learning_rate": 3e-3, "evaluate_every": 5})


@pytest.fixture(scope="module")
def beside(made: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose classifier was trained beside it."""
    out = tmp_path_factory.mktemp("beside") / "run"
    train(config.replace(**BESIDE), made / "annotations.json", made / "features", out)
    return out


@pytest.fixture(scope="module")
def proposals(made: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the same settings without one."""
    out = tmp_path_factory.mktemp("proposals") / "run"
    train(config.replace(**PROPOSALS), made / "annotations.json", made / "features", out)
    return out


def test_what_is_found_has_the_classes_of_the_annotations(beside: Path, made: Path) -> None:
    detector = load(beside)
    assert detector.class_names == CLASSES
    assert "2 classes: jump, run" in repr(detector)
    for number in range(6, 10):
        found = detector.detect(made / f"features/video{number}.npy")
        assert found.class_names == CLASSES
        assert found.labels[0] == number % 2
    assert load_settings(beside)[1].metrics["map@0.5"] > 0.5


def test_evaluation_knows_the_classes(beside: Path, proposals: Path, tmp_path: Path) -> None:
    for run, classes in ((beside, {"jump", "run"}), (proposals, {"action"})):
        copy = shutil.copytree(run, tmp_path / f"{len(classes)}")
        report = evaluate(copy)
        assert set(report.per_class) == classes
        assert report.average == pytest.approx(load_settings(run)[1].metrics["map"], abs=1e-6)


def test_the_network_is_the_one_that_it_is_without(beside: Path, proposals: Path, made: Path) -> None:
    assert (beside / WEIGHTS).read_bytes() == (proposals / WEIGHTS).read_bytes()
    assert not (proposals / CLASSIFIER).exists()
    assert "video_classes" not in (proposals / "model.json").read_text("utf-8")
    assert load(proposals).detect(made / "features/video7.npy").class_names == ("action",)


def test_the_score_is_that_of_proposal_and_class(beside: Path, proposals: Path, made: Path) -> None:
    file = made / "features/video7.npy"
    found, plain = load(beside).detect(file), load(proposals).detect(file)
    likely = np.square(found.of("run").scores) / plain.scores
    np.testing.assert_allclose(likely, likely[0], rtol=1e-4)
    assert 0.5 < likely[0] <= 1
    assert len(found) == 2 * len(plain)


def test_other_videos_of_the_batch_do_not_matter(beside: Path, made: Path) -> None:
    detector, files = load(beside), {str(n): made / f"features/video{n}.npy" for n in range(10)}
    together = detector.detect_many(files, batch_size=4)
    for name, file in files.items():
        alone = detector.detect(file)
        np.testing.assert_array_equal(alone.labels, together[name].labels)
        np.testing.assert_allclose(alone.scores, together[name].scores, rtol=1e-4)


def test_scores_of_the_call_win(beside: Path, made: Path) -> None:
    detector = load(beside)
    found = detector.detect(made / "features/video7.npy", class_scores=[0.0, 0.0, 1.0], class_names=["a", "b", "c"])
    assert found.class_names == ("a", "b", "c")
    assert found.labels[0] == 2


@pytest.mark.slow
def test_a_stopped_run_ends_as_if_it_had_not(
    beside: Path, made: Path, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, arguments = tmp_path / "run", (config.replace(**BESIDE), made / "annotations.json", made / "features")
    whole = Run.save

    def stop(self: Run, epoch: int, metrics: Any) -> None:
        whole(self, epoch, metrics)
        if epoch == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Run, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            train(*arguments, out)
    train(*arguments, out, resume=True)
    for name in (WEIGHTS, CLASSIFIER, "model.json", "detections.json", f"best/{CLASSIFIER}"):
        assert (out / name).read_bytes() == (beside / name).read_bytes(), name
    with pytest.raises(InputError, match=r"with training\.classifier True, now False"):
        train(config.replace(**PROPOSALS), *arguments[1:], out, resume=True)


def test_it_can_be_trained_later(call: Command, proposals: Path, beside: Path, made: Path, tmp_path: Path) -> None:
    run = shutil.copytree(proposals, tmp_path / "run")
    result = call("classify", run)
    assert result.code == 0, result
    assert f"model: {run}, 2 classes" in result.out.replace("\n", " ")
    assert (run / CLASSIFIER).read_bytes() == (beside / CLASSIFIER).read_bytes()
    config, card = load_settings(run)
    assert config.training.classifier
    assert card.video_classes == CLASSES
    assert not card.metrics
    assert not (run / "detections.json").exists()
    out = tmp_path / "found.json"
    assert call("detect", run, made / "features", "--out", out, "--min-score", 0).code == 0
    for name, found in read_results(out).items():
        assert found.class_names[found.labels[0]] == CLASSES[int(name[-1]) % 2]
    assert re.search(r"classes of videos +2: jump, run", call("info", run).out)


def test_a_preset_of_proposals_works_alone(call: Command, made: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    small = ("--training.epochs", 4, "--training.warmup-epochs", 0, "--model.width", 16, "--training.classifier")
    data = ("--annotations", made / "annotations.json", "--features", made / "features", "--out", run)
    result = call("train", "small", *data, "--model.num-classes", 1, *small)
    assert result.code == 0, result
    found = read_results(run / "detections.json")
    assert found.keys() == {"video6", "video7", "video8", "video9"}
    for name, one in found.items():
        assert one.class_names[one.labels[0]] == CLASSES[int(name[-1]) % 2]
    assert call("evaluate", run).code == 0
    assert call("diagnose", run, "--draws", 10).code == 0


def test_what_cannot_be(refused: Refused, trained: Path, beside: Path, made: Path, tmp_path: Path) -> None:
    data = ("--annotations", made / "annotations.json", "--features", made / "features", "--out", tmp_path / "run")
    assert "set model.num_classes to 1 with it, found those of the annotations" in refused(
        "train", "small", *data, "--training.classifier"
    )
    one = tmp_path / "one.json"
    one.write_text((made / "annotations.json").read_text("utf-8").replace("jump", "run"), "utf-8")
    classifier = ("--model.num-classes", 1, "--training.classifier")
    assert "one.json: 1 class, a classifier of whole videos has nothing to tell apart" in refused(
        "train", "small", "--annotations", one, *data[2:], *classifier
    )
    assert "has 2 classes of its own and needs no classifier" in refused("classify", trained)
    live = ("--max-action-seconds", 5)
    assert "classes are those of a whole video" in refused("detect", beside, made / "features/video7.npy", *live)
    assert "a stream has no end" in refused("watch", beside, made / "features/video7.npy", *live)
    broken = shutil.copytree(beside, tmp_path / "broken")
    (broken / CLASSIFIER).write_bytes((broken / WEIGHTS).read_bytes())
    assert f"{broken / CLASSIFIER}: " in refused("detect", broken, made / "features/video7.npy")
    (broken / CLASSIFIER).unlink()
    assert f"copy the whole directory, or run `actionformer classify {broken}`" in refused("info", broken)
    assert classify(broken).class_names == CLASSES


def test_videos_of_every_class_are_told(annotations: Path, features: Path, tiny: Config, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"3 of 3 videos have all 2 classes.*say nothing of an action"):
        train(tiny.replace(**BESIDE), annotations, features, tmp_path / "run")
