"""The examples of README and of `help(actionformer)` run as they stand, but for names and what a machine may lack."""

import json
import pydoc
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from moving import ACTIONS, SECONDS

import actionformer
from actionformer.settings.config import Config

README = Path(__file__).resolve().parents[1] / "README.md"
LABELS = {"left": "jump", "right": "run"}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, videos: Path, tiny: Config) -> Path:
    """A folder with what the examples begin with."""
    (tmp_path / "videos").mkdir()
    for i in range(2):
        shutil.copy(videos / f"clip{i}.mp4", tmp_path / "videos" / f"video_{i + 1}.mp4")
    shutil.copy(videos / "clip2.mp4", tmp_path / "new.mp4")
    actions = [{**action, "label": LABELS[action["label"]]} for action in ACTIONS]
    database = {
        f"video_{i + 1}": {"subset": subset, "duration": SECONDS, "annotations": actions}
        for i, subset in enumerate(("training", "validation"))
    }
    (tmp_path / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    (tmp_path / "small.toml").write_text(tiny.to_toml(), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(code: str) -> dict[str, Any]:
    for name, here in {
        '"auto"': '"small.toml"',
        '"cuda"': '"cpu"',
        '"bfloat16"': '"float32"',
        "rtsp://camera/stream": "features/video_1.npy",
    }.items():
        code = code.replace(name, here)
    width = 204
    names: dict[str, Any] = {
        "array": np.zeros((20, width), dtype=np.float32),
        "features": torch.zeros(1, 16, width),
        "valid": torch.ones(1, 16, dtype=torch.bool),
    }
    exec(compile(code, "example", "exec"), names)
    return names


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_example_of_the_readme(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    names = run(code)
    printed = capsys.readouterr().out
    assert "AP jump" in printed
    assert isinstance(names["report"], actionformer.Report)
    assert (workplace / "new.srt").is_file()
    assert len(names["outputs"].logits) == 3


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_example_of_help(workplace: Path) -> None:
    text = actionformer.__doc__ or ""
    lines = text.splitlines()
    code = [line.removeprefix("    ") for line in lines[lines.index("    import actionformer") :]]
    names = run("\n".join(code[: next(i for i, line in enumerate(code) if line.startswith("Segments"))]))
    assert isinstance(names["found"], actionformer.Detections)
    assert (workplace / "new.srt").is_file()


def test_help_is_a_page() -> None:
    text = pydoc.plain(pydoc.render_doc(actionformer))
    tour = actionformer.__doc__ or ""
    assert len(tour.splitlines()) <= 40
    assert max(map(len, tour.splitlines())) <= 82
    assert len(text.splitlines()) <= 80  # the tour, and the modules of the package
    names = set(dir(actionformer)) - {"__version__"}
    for name in names - {"Config", "Backbone", "SuppressionSettings", "load_config", "suppress"}:
        assert re.search(rf"\b{name}\b", tour), name
