import json
import shutil
import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused, Result
from hypothesis import settings
from made_once import made_once
from moving import ACTIONS, FPS, SECONDS, write_moving
from numbered import Image, number_of, numbered, write_numbered

from actionformer.cli import main
from actionformer.recipes.extract import extract
from actionformer.recipes.train import train
from actionformer.settings.config import Config

Once = Callable[[str, Callable[[Path], object]], Path]
"""Gives a folder by its name, which a function fills if no process of this run has asked for it before."""

LONG = (
    *("test_docs", "test_export_model", "test_server", "test_text", "test_binary", "test_engine", "test_benchmarks"),
    *("test_sounds", "test_kills", "test_dockerfile", "test_cluster", "test_loop_shared", "test_train_shared"),
    *("test_train_resume", "test_media_source", "test_cli", "test_watch", "test_wheel", "test_ablate", "test_job"),
    *("test_self_train", "test_compare", "test_classify", "test_application", "test_labelling", "test_views"),
)
"""Files that take long, of which many hold few tests: they begin first, so that no worker waits for one at the end."""

settings.register_profile("thorough", deadline=None)  # a busy machine is no failure
settings.register_profile("quick", settings.get_profile("thorough"), max_examples=50)
settings.load_profile("quick")


def pytest_configure() -> None:
    """Programs that tests start have default signal handlers, though `nohup make test &` ignores two signals.

    A child inherits a signal that is ignored, but not one that is handled: it gets the default back.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)  # these tests outlive their terminal, as was asked


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of files is that of the workers, who take one after another (`--no-loadscope-reorder`)."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured is told at the end, whichever process they ran in."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the checkout; tests that need it skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is not here: the reference data lie beside the checkout, not in the project")
    return folder


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Makes a folder of a name for all processes of this run, see `made_once`."""
    own = tmp_path_factory.getbasetemp()
    common = own if worker_id == "master" else own.parent
    return lambda name, make: made_once(common / name, make)


@pytest.fixture(scope="session")
def small() -> Path:
    """A small model in the published format with random weights, and the published implementation's numbers for it."""
    return Path(__file__).parent / "data" / "parity"


@pytest.fixture(scope="session")
def tiny() -> Config:
    """Settings of a network that trains in a second, for the videos of `features`."""
    return Config().replace(
        model={
            "width": 16,
            "num_heads": 2,
            "window": 5,
            "branch_blocks": 2,
            "regression_ranges": [[0, 4], [4, 8], [8, 1000]],
            "max_length": 64,
        },
        training={"epochs": 2, "warmup_epochs": 1, "learning_rate": 1e-3, "evaluate_every": 2},
    )


@pytest.fixture(scope="session")
def annotations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four training videos, one without any action, and two to evaluate on; the classes are jump and run."""
    rng = np.random.default_rng(0)
    database: dict[str, Any] = {}
    for video, (length, actions) in enumerate([(40, 3), (80, 5), (57, 0), (64, 4), (50, 4), (71, 4)]):
        starts = np.linspace(1.0, 0.5 * length - 5.0, actions) + rng.uniform(0.0, 1.0, actions)
        database[f"video{video}"] = {
            "subset": "training" if video < 4 else "Validation",
            "duration": 0.5 * length + 0.5,
            "annotations": [
                {"segment": [start, start + rng.uniform(1.0, 4.0)], "label": ("jump", "run")[i % 2]}
                for i, start in enumerate(starts)
            ],
        }
    path = tmp_path_factory.mktemp("annotations") / "annotations.json"
    path.write_text(json.dumps({"version": "1", "database": database}), "utf-8")
    return path


@pytest.fixture(scope="session")
def all_training(tmp_path_factory: pytest.TempPathFactory, annotations: Path) -> Path:
    """The same six videos, all to train on."""
    path = tmp_path_factory.mktemp("all") / "annotations.json"
    path.write_text(annotations.read_text("utf-8").replace("Validation", "training"), "utf-8")
    return path


@pytest.fixture(scope="session")
def features(tmp_path_factory: pytest.TempPathFactory, annotations: Path) -> Path:
    """Six channels every half second, of which the first two say which action goes on; with sidecars."""
    folder = tmp_path_factory.mktemp("features")
    rng = np.random.default_rng(1)
    for name, video in json.loads(annotations.read_text("utf-8"))["database"].items():
        length = round(2 * video["duration"] - 1)
        array = rng.standard_normal((length, 6)).astype(np.float32)
        for action in video["annotations"]:
            start, end = (round(2 * time) for time in action["segment"])
            array[start:end, ("jump", "run").index(action["label"])] += 4
        np.save(folder / f"{name}.npy", array)
        (folder / f"{name}.json").write_text('{"fps": 10, "stride": 5, "num_frames": 10}', "utf-8")
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny: Config, annotations: Path, features: Path) -> Path:
    """The run directory of a finished training, for reading only."""
    out = tmp_path_factory.mktemp("trained") / "run"
    train(tiny, annotations, features, out)
    return out


@pytest.fixture
def run(tmp_path: Path, trained: Path) -> Path:
    """A copy of the finished run that a test may change."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture(scope="session")
def videos(once: Once) -> Path:
    """Three videos of a square that moves to the left, then to the right."""
    return once("videos", lambda folder: [write_moving(folder / f"clip{i}.mp4", i) for i in range(3)])


@pytest.fixture(scope="session")
def seen(once: Once, tiny: Config, videos: Path) -> Path:
    """A run trained on the videos' motion, long enough to say something of them; beside it what it was trained on."""
    return once("seen", lambda folder: _train_on_motion(folder, tiny, videos))


def _train_on_motion(folder: Path, tiny: Config, videos: Path) -> None:
    extract(videos, "motion", folder / "features", fps=FPS, num_frames=4, stride=2, workers=0)
    names = sorted(path.stem for path in videos.iterdir())
    database = {name: {"subset": "training", "duration": SECONDS, "annotations": ACTIONS} for name in names}
    (folder / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    config = tiny.replace(
        data={"test_subset": ["training"]}, training={"epochs": 60, "learning_rate": 3e-3, "evaluate_every": 0}
    )
    train(config, folder / "annotations.json", folder / "features", folder / "run")


@pytest.fixture(scope="session")
def write_video() -> Callable[..., Path]:
    return write_numbered


@pytest.fixture(scope="session")
def frame_of() -> Callable[..., Image]:
    return numbered


@pytest.fixture(scope="session")
def number_in() -> Callable[[Image], int]:
    return number_of


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line in this process; its warnings are printed, as for users."""

    def run(*arguments: Any) -> Result:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            with pytest.raises(SystemExit) as end:
                main([str(argument) for argument in arguments])
        found = capsys.readouterr()
        return Result(int(end.value.code or 0), found.out, found.err)

    return run


@pytest.fixture
def refused(call: Command) -> Refused:
    """Runs what must be refused: exit code 2, one line on stderr, nothing on stdout; returns that line."""

    def run(*arguments: Any) -> str:
        result = call(*arguments)
        assert result.code == 2, result
        assert result.err.startswith("error: ")
        assert result.err.count("\n") == 1
        assert result.out == ""
        return result.err

    return run
