"""The wheel, installed outside the tree: what users get has the command line and the presets in it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from actionformer.settings.loading import preset_names

ROOT = Path(__file__).resolve().parents[1]


def python(*arguments: str | Path, **environment: str) -> str:
    """What a Python that knows nothing of the checkout prints, in a folder elsewhere."""
    command = [sys.executable, *map(str, arguments)]
    folder = environment.get("PYTHONPATH", str(ROOT))
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel was installed into."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy: nothing is built in the tree
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__"))
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", source)
    (wheel,) = (folder / "dist").glob("actionformer_tal-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "actionformer/py.typed" in names
    assert "actionformer/settings/presets/thumos14.toml" in names
    assert "actionformer/viewer/static/index.html" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    python("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder / "site", wheel)
    return folder / "site"


def test_the_installed_package_is_the_one_that_runs(installed: Path) -> None:
    script = "import actionformer, actionformer.cli as cli; print(actionformer.__file__); print(cli.__file__)"
    for line in python("-c", script, PYTHONPATH=str(installed)).splitlines():
        assert Path(line).is_relative_to(installed)


def test_presets_load(installed: Path) -> None:
    script = (
        "from actionformer.detectors.index import SETTINGS\n"
        "from actionformer.settings.loading import load_config, preset_names\n"
        "names = preset_names()\n"
        "print(*names)\n"
        "assert all(load_config(name).model.detector in SETTINGS for name in names)\n"
    )
    names = python("-c", script, PYTHONPATH=str(installed)).split()
    assert {"thumos14_i3d", "activitynet_tsp", "epic100_noun", "ego4d_slowfast_omnivore_egovlp", "salads"} <= set(names)
    assert names == preset_names()


def test_the_command_line_runs(installed: Path, tmp_path: Path, annotations: Path, features: Path) -> None:
    """The script that was installed trains a model and detects with it."""

    def run(*arguments: str | Path) -> str:
        return python(installed / "bin" / "actionformer", *arguments, PYTHONPATH=str(installed))

    assert "train" in run("--help")
    tiny = (
        "--model.width 16 --model.num-heads 2 --model.window 5 --model.branch-blocks 1 --model.max-length 64 "
        "--model.regression-ranges 0 4 4 999 --training.epochs 1 --training.warmup-epochs 0 "
        "--data.test-subset validation --data.train-subset training"
    )
    out = tmp_path / "run"
    run("train", "thumos14_i3d", "--annotations", annotations, "--features", features, "--out", out,
        "--data.stride", "5", "--data.num-frames", "10", *tiny.split())  # fmt: skip
    assert "video,label,start,end,score" in run("detect", out, features / "video4.npy", "--format", "csv")
