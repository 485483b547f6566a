"""A run that was killed and resumed ends as one that was never stopped, bit for bit; and a full disk loses nothing."""

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from actionformer.core.errors import InputError
from actionformer.model_directory import load_model, load_settings, save_model
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.training.checkpoints import read_state, write_state

HERE = Path(__file__).resolve().parent
KILLED = -signal.SIGKILL

WRITES_AT_START = 1  # metrics.jsonl
WRITES_AN_EPOCH = 5  # metrics.jsonl, config.toml, model.safetensors, model.json, resume/state.pt
EPOCHS = 4


def write(epoch: int, file: int) -> int:
    """Which write of the run that of a file (0 to 4) in an epoch is, counted from 1; none of them a best model."""
    return WRITES_AT_START + epoch * WRITES_AN_EPOCH + file + 1


PLAIN: dict[str, Any] = {"training": {"seed": 3, "epochs": EPOCHS - 1, "evaluate_every": 0}}
LOADERS: dict[str, Any] = {"training": {**PLAIN["training"], "workers": 2, "accumulate": 2, "batch_size": 1}}
EVALUATED: dict[str, Any] = {"training": {**PLAIN["training"], "average_decay": 0.0, "evaluate_every": 1}}

CASES = [
    ("after an epoch", PLAIN, [{"epoch": random.Random(os.getpid()).randint(1, EPOCHS)}]),
    ("writing the weights", PLAIN, [{"write": write(1, 2)}]),
    ("writing the state", PLAIN, [{"write": write(1, 4)}, {"write": write(0, 4)}]),
    ("between weights and state", PLAIN, [{"replace": write(2, 2)}]),
    ("before the first epoch", PLAIN, [{"write": 1}]),
    ("after the end", PLAIN, [{"replace": write(EPOCHS - 1, 4)}]),
    ("loaders and accumulation", LOADERS, [{"epoch": 2}, {"write": write(0, 4)}]),
    ("best and last weights", EVALUATED, [{"epoch": 3}]),
]


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, tiny: Config, annotations: Path, features: Path
) -> tuple[Path, dict[str, list[int]]]:
    """Every case beside a run of its settings that was never stopped."""
    out = tmp_path_factory.mktemp("killed")
    config = tiny.replace(model={"dropout": 0.1})
    (out / "config.toml").write_text(config.to_toml(), "utf-8")
    kinds = {"PLAIN": PLAIN, "LOADERS": LOADERS, "EVALUATED": EVALUATED}
    cases: list[tuple[str, dict[str, Any], list[dict[str, int]]]]
    cases = [(name, settings, []) for name, settings in kinds.items()] + CASES
    plan = {
        "config": str(out / "config.toml"),
        "annotations": str(annotations),
        "features": str(features),
        "cases": [{"name": name, "settings": settings, "kills": kills} for name, settings, kills in cases],
    }
    (out / "plan.json").write_text(json.dumps(plan), "utf-8")
    command = [sys.executable, str(HERE / "kill_and_resume.py"), str(out / "plan.json"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


@pytest.mark.parametrize(("name", "settings", "kills"), CASES, ids=[name for name, *_ in CASES])
def test_killed_and_resumed(
    runs: tuple[Path, dict[str, list[int]]], name: str, settings: Any, kills: list[Any]
) -> None:
    out, ends = runs
    assert ends[name] == [KILLED] * len(kills) + [0], f"killed at {kills}"
    whole = {id(PLAIN): "PLAIN", id(LOADERS): "LOADERS", id(EVALUATED): "EVALUATED"}[id(settings)]
    assert ends[whole] == [0]
    for model in (".", "best") if settings is EVALUATED else (".",):
        expected = (out / whole / model / "model.safetensors").read_bytes()
        assert (out / name / model / "model.safetensors").read_bytes() == expected
    rows, wanted = (
        [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
        for run in (out / name, out / whole)
    )
    for row in rows + wanted:
        row.pop("seconds")
    assert [row["epoch"] for row in rows] == list(range(EPOCHS))
    assert rows == wanted
    assert not list((out / name).rglob("*.part"))


def test_kinds_of_run_differ(runs: tuple[Path, Any]) -> None:
    """Or equal weights would show nothing."""
    plain, loaders = (load_file(runs[0] / name / "model.safetensors") for name in ("PLAIN", "LOADERS"))
    assert any((plain[name] != loaders[name]).any() for name in plain)


# --- a full disk


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written in one piece of more than 2,000 bytes does not fit."""
    write_bytes = Path.write_bytes

    def no_space(path: Path, data: bytes) -> int:
        if len(data) > 2000:
            write_bytes(path, data[:2000])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", no_space)


def test_full_disk_leaves_the_files_before(run: Path, full_disk: None) -> None:
    before = content(run)
    model, config, card = load_model(run)
    with pytest.raises(InputError, match=r"config.toml: cannot write \(No space left on device\)"):
        save_model(run, model, config, card)
    state = read_state(run)
    assert state is not None
    with pytest.raises(InputError, match=r"state.pt: cannot write \(No space left on device\)"):
        write_state(run, state)
    assert content(run) == before


def test_full_disk_in_training(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path, full_disk: None
) -> None:
    with pytest.raises(InputError, match=r"cannot write \(No space left on device\)"):
        train(tiny, annotations, features, tmp_path / "run")
    assert not list(tmp_path.rglob("*.part"))


def test_files_that_may_not_grow(run: Path) -> None:
    """The same with a limit that the system itself enforces."""
    before = content(run)
    model, config, card = load_model(run)
    state = read_state(run)
    assert state is not None
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, hard))
    try:
        with pytest.raises(InputError, match=r"model.safetensors: cannot write \(File too large\)"):
            save_model(run, model, config, card)
        with pytest.raises(InputError, match=r"state.pt: cannot write \(File too large\)"):
            write_state(run, state)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert content(run) == before


def test_a_run_goes_on_with_the_weights_that_it_began_with(
    tmp_path: Path, run: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    tuned = tmp_path / "tuned"
    train(tiny, annotations, features, tuned, init=run)
    train(tiny, annotations, features, tuned, resume=True)
    train(tiny, annotations, features, tuned, init=run, resume=True)
    assert load_settings(tuned)[1].training["init_hash"]
    with pytest.raises(InputError, match=r"tuned: began with weights of a model .*, now weights of a model"):
        train(tiny, annotations, features, tuned, init=tuned, resume=True)
    with pytest.raises(InputError, match=r"run: began with fresh weights, now weights of a model .* resume unchanged"):
        train(tiny, annotations, features, run, init=tuned, resume=True)
