"""One directory, one training: races, `--overwrite` that is killed, `--resume` with other data."""

import fcntl
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.core.run_files import LABELS, LOCK
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.run_directory import check_unoccupied, clear
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.training.checkpoints import state_path

HERE = Path(__file__).resolve().parent
KILLED = -signal.SIGKILL
SHORT: dict[str, Any] = {"training": {"epochs": 1, "warmup_epochs": 0, "evaluate_every": 0}}
NEW: dict[str, Any] = {"training": {**SHORT["training"], "seed": 5}}


def play(
    folder: Path, config: Config, annotations: Path, features: Path, steps: list[dict[str, Any]]
) -> list[list[tuple[int, str]]]:
    """What became of every training of every step."""
    (folder / "config.toml").write_text(config.to_toml(), "utf-8")
    plan = {
        "config": str(folder / "config.toml"),
        "annotations": str(annotations),
        "features": str(features),
        "steps": steps,
    }
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
    command = [sys.executable, str(HERE / "in_one_directory.py"), str(folder / "plan.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def weights(run: Path) -> bytes:
    return (run / "model.safetensors").read_bytes()


KILLS = (1, 2, 3, 4, 9)
"""Which removal is never done: that of the state, of its folder, of the card, of the settings, of a part of best/."""


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, tiny: Config, annotations: Path, features: Path
) -> tuple[Path, dict[str, list[tuple[int, str]]]]:
    """A run of two epochs; what becomes of several that start together; and, n times, one that was to replace the first
    but was killed at its n-th removal, then resumed.
    """
    folder = tmp_path_factory.mktemp("played")
    longer = {"training": {**SHORT["training"], "epochs": 2}}
    steps: dict[str, dict[str, Any]] = {
        "old": {"out": "old", "settings": longer},
        "together": {"out": "new", "settings": NEW, "together": 4},
        "replacing": {
            "out": "replaced",
            "copy": str(folder / "old"),
            "settings": NEW,
            "overwrite": True,
            "together": 3,
        },
    }
    for n in KILLS:
        copy = {"out": str(n), "copy": str(folder / "old"), "settings": NEW}
        steps[f"killed {n}"] = {**copy, "overwrite": True, "dies": n}
        steps[f"resumed {n}"] = {"out": str(n), "settings": NEW, "resume": True}
    placed = [{**step, "out": str(folder / step["out"])} for step in steps.values()]
    return folder, dict(zip(steps, play(folder, tiny, annotations, features, placed), strict=True))


@pytest.mark.parametrize("name", ["together", "replacing"])
def test_of_trainings_that_start_together_one_trains(
    played: tuple[Path, dict[str, list[tuple[int, str]]]], name: str
) -> None:
    folder, ends = played
    finished = [code for code, _ in ends[name] if code == 0]
    assert len(finished) == 1 or (name == "replacing" and finished), ends  # who came late replaces what has ended
    for code, text in ends[name]:
        assert code == 0 or (code == 2 and ("is in use by" in text or "already exists" in text)), ends
    run = folder / {"together": "new", "replacing": "replaced"}[name]
    assert weights(run) == weights(folder / "new") != weights(folder / "old")
    assert not (run / LOCK).exists()


@pytest.mark.parametrize("n", KILLS)
def test_overwrite_that_is_killed_leaves_nothing_of_the_old_run_to_resume(
    played: tuple[Path, dict[str, list[tuple[int, str]]]], n: int
) -> None:
    folder, ends = played
    [(code, _)], [(resumed, text)] = ends[f"killed {n}"], ends[f"resumed {n}"]
    assert code == KILLED
    if n > 3:  # the state and the card are gone
        assert resumed == 0, text
        assert weights(folder / str(n)) == weights(folder / "new")
    else:
        assert resumed == 2
        assert "a run can only resume unchanged" in text if n == 1 else "--overwrite starts again" in text


def test_the_state_goes_first(run: Path) -> None:
    """What is removed first is what a later `--resume` would continue from."""
    removed: list[Any] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("os.remove", "os.rmdir") and removed is not None:
            removed.append(str(arguments[0]))

    sys.addaudithook(hook)
    clear(run, fresh=True)
    names = list(removed)
    removed = None  # type: ignore[assignment]
    assert names[0].endswith("state.pt")
    assert not state_path(run).exists()


@pytest.mark.parametrize("fresh", [False, True])
def test_what_was_exported_goes_with_its_weights(run: Path, fresh: bool) -> None:
    (run / "model.onnx").touch()
    clear(run, fresh=fresh)
    assert not (run / "model.onnx").exists()
    assert (run / "model.safetensors").exists() != fresh


def test_nothing_to_continue_from(run: Path, tiny: Config, annotations: Path, features: Path) -> None:
    """A model whose state was deleted is not trained over."""
    shutil.rmtree(run / "resume")
    before = weights(run)
    with pytest.raises(InputError, match=r"holds a model, but nothing to continue it from; --overwrite starts again"):
        train(tiny, annotations, features, run, resume=True)
    assert weights(run) == before


# --- a directory in use


def test_a_directory_in_use(run: Path, tiny: Config, annotations: Path, features: Path) -> None:
    before = weights(run)
    with (run / LOCK).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        flags: tuple[dict[str, Any], ...] = ({"resume": True}, {"overwrite": True})
        for flag in flags:
            with pytest.raises(InputError, match=r"run: is in use .*: wait until it ends or choose another folder"):
                train(tiny, annotations, features, run, **flag)
        evaluate(run)  # reads and adds
    assert weights(run) == before
    train(tiny, annotations, features, run, resume=True)  # a lock file that was left means nothing
    assert not (run / LOCK).exists()


def test_a_lock_that_was_left_alone_in_a_folder(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / LOCK).write_text("process 1 on gone")
    train(tiny.replace(**SHORT), annotations, features, out)
    assert (out / "model.json").is_file()


def test_an_evaluation_of_weights_that_change_meanwhile(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Detections of other weights than those in the directory are not written there."""
    detect = evaluate_module().detect_together

    def slow(*arguments: Any) -> Any:
        found = detect(*arguments)
        shutil.copy(run / "best" / "model.safetensors", run / "other")
        (run / "other").replace(run / "model.safetensors")
        return found

    before = (run / "detections.json").read_bytes()
    monkeypatch.setattr(evaluate_module(), "detect_together", slow)
    with pytest.warns(UserWarning, match=r"trained further meanwhile: neither detections.json nor evaluation.json"):
        evaluate(run, settings={"suppression": {"max_detections": 1}})
    assert (run / "detections.json").read_bytes() == before


def evaluate_module() -> Any:
    return sys.modules[evaluate.__module__]


def test_training_on_removes_the_evaluation_of_the_weights_before(
    run: Path, tiny: Config, annotations: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate(run, settings={"suppression": {"max_detections": 1}})
    few = (run / "detections.json").read_bytes()
    train(tiny, annotations, features, run, resume=True)  # there is no epoch left
    assert (run / "detections.json").read_bytes() == few
    lines = (run / "metrics.jsonl").read_text("utf-8").splitlines(keepends=True)
    import torch

    state = torch.load(state_path(run), weights_only=True)
    torch.save(state | {"epoch": 1, "trainer": state["trainer"] | {"steps": 4}}, state_path(run))
    (run / "metrics.jsonl").write_text("".join(lines[:2]), "utf-8")
    train(tiny, annotations, features, run, resume=True)
    assert (run / "detections.json").read_bytes() != few


# --- resuming with other data


def test_resume_with_annotations_of_other_content(
    tmp_path: Path, run: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    """The same number of videos and actions; one action begins elsewhere."""
    database = json.loads(annotations.read_text("utf-8"))
    (tmp_path / "same.json").write_text(json.dumps(database, indent=3), "utf-8")
    train(tiny, tmp_path / "same.json", features, run, resume=True)
    database["database"]["video1"]["annotations"][0]["segment"][0] += 0.25
    (tmp_path / "other.json").write_text(json.dumps(database), "utf-8")
    with pytest.raises(
        InputError, match=r"the content of the annotations has changed since: a run can only resume unchanged"
    ):
        train(tiny, tmp_path / "other.json", features, run, resume=True)


@pytest.mark.parametrize("video", ["video1", "video5"])
def test_resume_with_features_of_other_content(
    tmp_path: Path, run: Path, tiny: Config, annotations: Path, features: Path, video: str
) -> None:
    """The same videos, lengths and widths; one number is another. Those of the evaluation subset count too."""
    moved = shutil.copytree(features, tmp_path / "moved")
    train(tiny, annotations, moved, run, resume=True)
    array = np.load(moved / f"{video}.npy")
    array[20, 3] += 1e-3
    np.save(moved / f"{video}.npy", array)
    with pytest.raises(
        InputError, match=r"the content of the features has changed since: a run can only resume unchanged"
    ):
        train(tiny, annotations, moved, run, resume=True)


def test_resume_of_a_run_that_does_not_say_what_it_saw(
    run: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    card = json.loads((run / "model.json").read_text("utf-8"))
    for name in ("annotations_hash", "features_hash"):
        del card["training"][name]
    (run / "model.json").write_text(json.dumps(card), "utf-8")
    with pytest.warns(UserWarning, match="only their number is compared") as told:
        train(tiny, annotations, features, run, resume=True)
    assert len(told) == 2


# --- what killed processes left


def test_parts_that_were_left_go_and_those_of_a_living_process_stay(
    run: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    for name in (
        ".model.json.0.part",
        "best/.config.toml.0.part",
        "resume/.state.pt.0.part",
        ".detections.json.1.part",
    ):
        (run / name).write_text("half")
    with (run / ".detections.json.1.part").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        train(tiny, annotations, features, run, resume=True)
    assert [path.name for path in run.rglob("*.part")] == [".detections.json.1.part"]


def test_found_labels_alone_are_a_run_that_was_begun(tmp_path: Path) -> None:
    """A kill between them and the first line of metrics.jsonl, while TensorBoard is imported."""
    (tmp_path / LABELS).write_text("{}", "utf-8")
    check_unoccupied(tmp_path, resume=True, overwrite=False)
    check_unoccupied(tmp_path, resume=False, overwrite=True)
    with pytest.raises(InputError, match="already exists"):
        check_unoccupied(tmp_path, resume=False, overwrite=False)
