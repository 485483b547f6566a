"""`train` and `evaluate` as torchrun starts them: the run is the one of a process alone, also if a worker is lost."""

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from actionformer.recipes.train import train
from actionformer.settings.config import Config

HERE = Path(__file__).resolve().parent
MODULE = ("-m", "actionformer")
LOSSES, WEIGHTS = 1e-5, 1e-4


def torchrun(*arguments: object, processes: int = 2, program: tuple[str, ...] = MODULE, **variables: str) -> list[str]:
    """A command and its variables, for `env`."""
    options = [str(one) for one in arguments]
    launch = [sys.executable, "-m", "torch.distributed.run"]
    if "--nnodes" not in options:
        launch += ["--standalone", "--nproc-per-node", str(processes)]
    return ["env", *(f"{name}={value}" for name, value in variables.items()), *launch, *program, *options]


def done(command: list[str], code: int = 0) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=variables)
    assert ended.returncode == code, ended.stderr
    return ended


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, tiny: Config) -> Path:
    """Three epochs of two steps, with two evaluations."""
    training = {"batch_size": 3, "epochs": 3, "warmup_epochs": 1, "evaluate_every": 2, "learning_rate": 3e-3}
    path = tmp_path_factory.mktemp("settings") / "tiny.toml"
    path.write_text(tiny.replace(training=training, model={"dropout": 0.1}).to_toml(), "utf-8")
    return path


@pytest.fixture(scope="module")
def words(settings: Path, annotations: Path, features: Path) -> list[str]:
    """A training but for where it goes."""
    return ["train", str(settings), "--annotations", str(annotations), "--features", str(features), "--out"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, settings: Path, annotations: Path, features: Path) -> Path:
    out = tmp_path_factory.mktemp("alone") / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # four epochs teach little
        train(settings, annotations, features, out)
    return out


def assert_same(run: Path, other: Path) -> None:
    """The same figures, weights and detections, but for rounding."""
    for model in (".", "best"):
        one, same = (load_file(path / model / "model.safetensors") for path in (run, other))
        for name, weight in one.items():
            if not name.endswith(("key.bias", "key_norm.bias")):  # softmax does not see them
                np.testing.assert_allclose(weight, same[name], rtol=0, atol=WEIGHTS, err_msg=name)
    rows, wanted = (
        [json.loads(line) for line in (path / "metrics.jsonl").read_text("utf-8").splitlines()] for path in (run, other)
    )
    assert [row["epoch"] for row in rows] == [row["epoch"] for row in wanted] == [0, 1, 2, 3]
    for row, of_other in zip(rows, wanted, strict=True):
        assert row.keys() == of_other.keys()
        for name in row.keys() - {"seconds"}:
            assert row[name] == pytest.approx(of_other[name], rel=LOSSES, abs=1e-9), name
    one, same = (json.loads((path / "detections.json").read_text("utf-8"))["results"] for path in (run, other))
    assert list(one) == list(same)
    assert [len(found) for found in one.values()] == [len(found) for found in same.values()]
    assert {path.name for path in run.iterdir()} == {path.name for path in other.iterdir()}


def test_two_processes_train_and_evaluate_as_one(tmp_path: Path, words: list[str], alone: Path) -> None:
    ended = done(torchrun(*words, tmp_path / "run"))
    assert_same(tmp_path / "run", alone)
    assert ended.stdout == f"model: {tmp_path / 'run'}\n"
    assert ended.stderr.count("training: 4 epochs") == ended.stderr.count("epoch 4 of 4") == 1
    assert ended.stderr.count("warning: ") == len({line for line in ended.stderr.splitlines() if "warning: " in line})


@pytest.mark.slow
def test_evaluation_looks_at_every_video_once(tmp_path: Path, alone: Path) -> None:
    """Also with more processes than videos."""
    shared = shutil.copytree(alone, tmp_path / "run")
    for name in ("detections.json", "evaluation.json"):
        (shared / name).unlink()
    ended = done(torchrun("evaluate", shared, processes=3))
    again = done([sys.executable, *MODULE, "evaluate", str(alone)])
    assert ended.stdout == again.stdout
    for name in ("detections.json", "evaluation.json"):
        assert json.loads((shared / name).read_text("utf-8")) == json.loads((alone / name).read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["2:5", "0:4", "1:1"])
def test_a_lost_worker_changes_nothing(tmp_path: Path, words: list[str], alone: Path, lost: str) -> None:
    """Process 2 in the middle of the third epoch, the one that writes at its begin, and one before there is a state."""
    program = (str(HERE / "lost_worker.py"),)
    command = torchrun("--max-restarts", "2", *program, *words, tmp_path / "run", processes=3, program=(), LOST=lost)
    ended = done(command)
    epochs = [line.split(":")[0] for line in ended.stderr.splitlines() if line.startswith("epoch ")]
    assert sorted(set(epochs)) == [f"epoch {number} of 4" for number in (1, 2, 3, 4)]
    assert_same(tmp_path / "run", alone)
    first = int(lost.partition(":")[2]) // 2
    assert ended.stderr.count(f"; {first} {'is' if first == 1 else 'are'} done") == int(first > 0)


@pytest.mark.slow
def test_what_was_there_before_is_not_taken_for_the_own_run(tmp_path: Path, words: list[str], alone: Path) -> None:
    """torchrun starts again whatever has failed: a run that is in the way stays in the way."""
    run = shutil.copytree(alone, tmp_path / "run")
    before = (run / "metrics.jsonl").read_bytes()
    ended = done(torchrun("--max-restarts", "1", *MODULE, *words, run, program=()), code=1)
    lines = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert lines == [f"error: {run}: already exists; --resume continues that run, --overwrite starts again"] * 2
    assert (run / "metrics.jsonl").read_bytes() == before


@pytest.mark.slow
def test_errors_are_said_once(tmp_path: Path, words: list[str], annotations: Path) -> None:
    """What all find wrong, and what one has to do with alone."""
    ended = done(torchrun(*words, tmp_path / "run", "--training.batch-size", 1), code=1)
    assert [line for line in ended.stderr.splitlines() if line.startswith("error: ")] == [
        "error: training.batch_size is 1, too few for 2 processes that share every batch: raise it "
        "(a smaller training.accumulate then makes the same step), or start fewer"
    ]
    (tmp_path / "taken").write_text("no run", "utf-8")
    ended = done(torchrun(*words, tmp_path / "taken"), code=1)
    assert ended.stderr.count("error: ") == ended.stderr.count("is not a run directory and is left alone") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["second stage", "classifier"])
def test_what_comes_before_the_first_step_is_shared_too(
    tmp_path: Path, words: list[str], alone: Path, kind: str, annotations: Path, features: Path
) -> None:
    """Proposals of a model, which processes find in some videos each, and what the first one sends to the others."""
    short = ["--training.epochs", "3", "--training.warmup-epochs", "1", "--training.evaluate-every", "2"]
    if kind == "classifier":
        training = [*words, "{}", "--model.num-classes", "1", "--training.classifier"]
    else:
        thin = {"width": 8, "foregrounds": 2, "incompletes": 6, "backgrounds": 2, "foreground-tiou": 0.3}
        own = [word for name, value in thin.items() for word in (f"--model.{name}", str(value))]
        data = ["--annotations", str(annotations), "--features", str(features), "--proposals", str(alone)]
        training = ["train", "muses_small", *data, "--out", "{}", "--training.batch-size", "3", *own]
    runs = {name: tmp_path / name for name in ("one", "several")}
    called = {name: [word.replace("{}", str(run)) for word in (*training, *short)] for name, run in runs.items()}
    done([sys.executable, *MODULE, *called["one"]])
    done(torchrun(*called["several"]))
    assert_same(runs["several"], runs["one"])
    for part in ("classifier.safetensors", "proposer"):
        assert (runs["several"] / part).exists() is (runs["one"] / part).exists()


# --- two hosts


@pytest.fixture
def hosts() -> Iterator[list[str]]:
    """Two network namespaces with a cable between them."""
    names = [f"actionformer{os.getpid()}{side}" for side in "ab"]
    made = [
        *(f"netns add {name}" for name in names),
        f"link add veth0 netns {names[0]} type veth peer name veth0 netns {names[1]}",
        *(f"-n {name} address add 10.77.0.{number}/24 dev veth0" for number, name in enumerate(names, 1)),
        *(f"-n {name} link set {device} up" for name in names for device in ("lo", "veth0")),
    ]
    try:
        for words in made:
            subprocess.run(["ip", *words.split()], check=True, capture_output=True)
        yield names
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespaces can be made here ({error})")
    finally:
        for name in names:
            with suppress(OSError):
                subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["", "1:5"])
def test_two_hosts_train_as_one(tmp_path: Path, words: list[str], alone: Path, hosts: list[str], lost: str) -> None:
    """The second one does not see the run directory, and its process may be lost."""
    started = []
    for number, host in enumerate(hosts):
        options = ["--nnodes", "2", "--nproc-per-node", "1"]
        if lost:
            options += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "10.77.0.1:29400", "--rdzv-id", "one"]
            options += ["--rdzv-conf", f"is_host={1 - number}", "--local-addr", f"10.77.0.{number + 1}"]
            options += ["--max-restarts", "1", str(HERE / "lost_worker.py")]
        else:
            options += ["--node-rank", str(number), "--master-addr", "10.77.0.1", "--master-port", "29500", *MODULE]
        out = tmp_path / ("run" if number == 0 else "unseen")
        command = torchrun(
            *options, *words, out, program=(), GLOO_SOCKET_IFNAME="veth0", OMP_NUM_THREADS="1", LOST=lost
        )
        output = subprocess.PIPE
        started.append(
            subprocess.Popen(["ip", "netns", "exec", host, *command], stdout=output, stderr=output, text=True)
        )
    try:
        said = [one.communicate(timeout=300) for one in started]
    finally:
        for one in started:
            one.terminate()  # which ends its processes too
            one.communicate()
    assert [one.returncode for one in started] == [0, 0], said
    assert_same(tmp_path / "run", alone)
    assert said[0][0] == f"model: {tmp_path / 'run'}\n"
    assert said[1][0] == ""
    assert not (tmp_path / "unseen").exists()
