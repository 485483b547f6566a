"""A model that is shared, on a stand-in of the hub: what is uploaded and what is not, and what comes back."""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from commands import Command
from local_hub import LocalHub, local_hub, use

import actionformer
from actionformer.core import files
from actionformer.core.errors import InputError
from actionformer.features import FeatureSpec
from actionformer.inference.loading import build, load
from actionformer.model_directory import ModelCard, load_settings
from actionformer.recipes.model_card import figures_of
from actionformer.recipes.push import push, without_places, write_shared

pytest.importorskip("huggingface_hub", reason="sharing a model needs the extra hub")

pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),
]
"""What the hub's library does with its own network library, and with its temporary folder where the hub refuses."""
MODEL = {"config.toml", "model.json", "model.safetensors"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    with local_hub() as hub:
        use(hub, tmp_path / "cache", monkeypatch)
        yield hub


def uploaded(hub: LocalHub, name: str = "ann/jumps") -> dict[str, bytes]:
    return hub.repositories[name].commits[-1][1]


def test_a_model_comes_back_as_it_went(hub: LocalHub, trained: Path, features: Path) -> None:
    own = load(trained)
    assert own.push_to_hub("ann/jumps", license="mit") == f"{hub.url}/ann/jumps"
    theirs = load("hf://ann/jumps")
    assert theirs.config == own.config
    assert theirs.card.calibration == own.card.calibration
    for video in ("video4", "video5"):
        first, second = (one.detect(features / f"{video}.npy") for one in (own, theirs))
        assert len(first) > 0
        for name in ("segments", "scores", "labels"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_nothing_private_is_uploaded(hub: LocalHub, trained: Path, annotations: Path, features: Path) -> None:
    push(trained, "ann/jumps", private=True)
    assert hub.repositories["ann/jumps"].private
    files = uploaded(hub)
    assert files.keys() == MODEL | {"README.md"}
    for name, content in files.items():
        for secret in (annotations, features, trained, Path.home()):
            assert str(secret).encode() not in content, (name, secret)
    training = json.loads(files["model.json"])["training"]
    assert load_settings(trained)[1].training.keys() - training.keys() == {"annotations", "features"}
    assert files["model.safetensors"] == (trained / "model.safetensors").read_bytes()
    assert files["config.toml"] == (trained / "config.toml").read_bytes()


def test_the_next_model_takes_the_place_of_the_last(hub: LocalHub, trained: Path) -> None:
    push(trained, "ann/jumps")
    first = hub.repositories["ann/jumps"].commits[-1][0]
    hub.repositories["ann/jumps"].commit({"classifier.safetensors": b"of before", "notes.txt": b"mine"})
    with pytest.warns(UserWarning, match="the card has mAP without an interval"):
        push(trained / "best", "ann/jumps")
    assert uploaded(hub).keys() == MODEL | {"README.md", "notes.txt"}
    assert load(f"hf://ann/jumps@{first}").card.training["epochs"] == 3


def test_who_may_not_upload_is_told(hub: LocalHub, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(InputError, match=r"^hf://ann/jumps: the hub refuses this account \(401\): run `hf auth login`"):
        push(trained, "ann/jumps")
    assert hub.repositories == {}


def test_a_licence_that_the_hub_does_not_know_is_refused(hub: LocalHub, trained: Path) -> None:
    with pytest.raises(InputError, match=r'^hf://ann/jumps: .*"license" must be one of'):
        push(trained, "ann/jumps", license="mine")


def test_a_preview_refuses_what_the_hub_would(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"license must be named as the hub does, .*, found 'MIT License'"):
        push(trained, "ann/jumps", license="MIT License", preview=tmp_path / "shown")
    with pytest.raises(InputError, match=r"^hf://ann/my jumps: "):
        push(trained, "ann/my jumps", preview=tmp_path / "shown")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["jumps", "ann/jumps/best", "hf://ann/jumps"])
def test_a_name_of_another_form_is_refused(trained: Path, name: str) -> None:
    with pytest.raises(InputError, match="repository must be USER/MODEL"):
        push(trained, name)


def test_weights_of_another_precision_are_not_shared(trained: Path) -> None:
    with pytest.raises(InputError, match="a model is shared in float32: load it without precision='bfloat16'"):
        load(trained, precision="bfloat16").push_to_hub("ann/jumps")


def test_a_preview_is_what_would_be_uploaded(hub: LocalHub, trained: Path, tmp_path: Path, call: Command) -> None:
    done = call("push", trained, "ann/jumps", "--license", "mit", "--preview", tmp_path / "look")
    assert (done.code, done.out, done.err) == (0, f"{tmp_path / 'look'}\n", "")
    assert hub.asked == []
    again = call("push", trained, "ann/jumps", "--preview", tmp_path / "look")
    assert (again.code, again.err) == (2, f"error: {tmp_path / 'look'}: already exists; choose a folder that is new\n")
    done = call("push", trained, "ann/jumps", "--license", "mit")
    assert (done.code, done.out) == (0, f"{hub.url}/ann/jumps\n")
    assert {path.name: path.read_bytes() for path in (tmp_path / "look").iterdir()} == uploaded(hub)


def test_what_proposes_goes_with_what_judges(hub: LocalHub, trained: Path, tmp_path: Path) -> None:
    detector = load(trained)
    detector.proposer = load(trained)
    detector.push_to_hub("ann/jumps")
    both = MODEL | {f"proposer/{name}" for name in MODEL}
    assert uploaded(hub).keys() == both | {"README.md"}
    folder = load("hf://ann/jumps").directory
    assert folder is not None
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == both


def test_figures_of_other_settings_are_not_shared(trained: Path, tmp_path: Path) -> None:
    detector = load(trained).with_settings(suppression={"max_detections": 3})
    figures = figures_of(detector)
    assert not figures.current
    write_shared(detector, tmp_path / "shared", figures)
    config, card = load_settings(tmp_path / "shared")
    assert (config.suppression.max_detections, card.metrics) == (3, {})


def test_places_on_this_machine_are_left_out() -> None:
    card = ModelCard(
        ("jump",),
        features=FeatureSpec(
            backbone="videomae:/home/ann/base", sources=(FeatureSpec(backbone="windows:/x"), FeatureSpec(backbone=None))
        ),
        training={
            "annotations": "/home/ann/a.json",
            "features": ["/home/ann/f"],
            "proposals": "C:\\ann\\p.json",
            "converted_from": ["C:\\Users\\ann\\epoch_34.pth.tar", "config.yaml"],
            "notes": {"at": "/tmp/ann", "seconds": 3},
            "subset": ["training"],
        },
    )
    shared = without_places(card)
    assert shared.training == {
        "converted_from": ["epoch_34.pth.tar", "config.yaml"],
        "notes": {"at": "ann", "seconds": 3},
        "subset": ["training"],
    }
    assert shared.features.backbone == "videomae:base"
    assert [one.backbone for one in shared.features.sources] == ["windows:x", None]
    assert replace(shared, training={}, features=FeatureSpec()) == ModelCard(("jump",))


# --- the card


def read_card(
    trained: Path, folder: Path, license: str | None = None, dataset: str | None = None
) -> tuple[dict[str, Any], str]:
    push(trained, "ann/jumps", preview=folder, license=license, dataset=dataset)
    _, front, text = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(front), text


def test_the_card_says_what_the_model_is(trained: Path, tmp_path: Path) -> None:
    front, text = read_card(trained, tmp_path / "look", license="cc-by-4.0", dataset="Jumps | and runs")
    metrics = load_settings(trained)[1].metrics
    assert (front["library_name"], front["license"]) == ("actionformer-tal", "cc-by-4.0")
    assert front["tags"] == [
        "temporal-action-localization",
        "temporal-action-detection",
        "actionformer-tal",
        "actionformer",
    ]
    (result,) = front["model-index"][0]["results"]
    assert result["dataset"]["name"] == "Jumps | and runs"
    assert result["metrics"][0]["value"] == round(100 * metrics["map"], 2)
    assert len(result["metrics"]) == len(metrics) == 6
    titles = ["Use", "Classes", "Features", "Data", "Figures", "Limits", "Licence"]
    assert re.findall(r"^## (.*)", text, re.MULTILINE) == titles
    assert "Finds actions of 2 classes in features of videos" in text
    assert "\njump, run\n" in text
    assert "Jumps \\| and runs.\nTrained on 4 videos with 12 actions, for 3 epochs." in text
    assert "| frames a second | 10 |" in text
    assert "2 videos with 8 actions, not learned from." in text
    found = re.search(r"\| mAP, mean over tIoU \| ([0-9.]+) \| ([0-9.]+) to ([0-9.]+) \|", text)
    assert found is not None
    low, value, high = (float(found[group]) for group in (2, 1, 3))
    assert low <= value <= high
    assert "The interval of mAP is of draws of 2 videos." in text
    assert "fewer than 10 videos: intervals of so few are too narrow" in text
    assert "Scores are the network's own" in text


def test_the_card_of_the_best_epoch_says_that_it_was_chosen(trained: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"the card has mAP without an interval: .*best: holds no detections\.json"):
        _, text = read_card(trained / "best", tmp_path / "look")
    assert "The epoch was chosen on these very videos" in text
    assert "None is stated: ask the author before you use the model for anything." in text


def test_a_model_that_was_not_evaluated_has_no_figures(tmp_path: Path, run: Path) -> None:
    card = json.loads((run / "model.json").read_text("utf-8"))
    (run / "model.json").write_text(json.dumps(card | {"metrics": {}}), "utf-8")
    front, text = read_card(run, tmp_path / "look")
    assert "model-index" not in front
    assert "None: the model was not evaluated." in text


def test_a_detector_of_no_directory_has_a_card_too(hub: LocalHub) -> None:
    build("hapt").push_to_hub("ann/fresh")
    text = uploaded(hub, "ann/fresh")["README.md"].decode()
    assert "## Data\n\nNot known.\n" in text


def test_the_example_of_the_card_runs(
    hub: LocalHub, seen: Path, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], call: Command,
) -> None:  # fmt: skip
    push(seen / "run", "ann/moves")
    text = uploaded(hub, "ann/moves")["README.md"].decode()
    shutil.copy(videos / "clip0.mp4", tmp_path / "new.mp4")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(code, "example", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    (command,) = re.findall(r"^actionformer (.*)", text, re.MULTILINE)
    done = call(*command.split(), "--format", "srt")
    assert done.code == 0
    assert "Fetching" not in done.err
    assert done.out.count("-->") == len(printed) > 0
    found = actionformer.pipeline("hf://ann/moves", threshold=0.0)("new.mp4")
    assert len(found) > 0


def test_a_preview_is_whole_or_absent(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        if "safetensors" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    look, left = tmp_path / "look", tmp_path / ".look.new.part"
    left.mkdir()
    (left / "half.txt").write_text("of a call that was killed", "utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(files, "_flush", full)
        with pytest.raises(InputError, match=rf"^{look}/model.safetensors: cannot write \(No space left on device\)$"):
            push(trained, "ann/jumps", preview=look)
    assert not list(tmp_path.iterdir())
    push(trained, "ann/jumps", preview=look)
    assert {path.name for path in look.iterdir()} == MODEL | {"README.md"}
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/look: cannot make its folder"):
        push(trained, "ann/jumps", preview=tmp_path / "file" / "look")
