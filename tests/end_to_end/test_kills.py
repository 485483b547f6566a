"""kill -9 at any moment of any long verb: the call is made again, and all is as if it had never been killed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from moving import write_moving

from actionformer.core.files import read_json_lines
from actionformer.settings.config import Config

HERE = Path(__file__).resolve().parent
MEASURED = {"costs", "measured", "seconds", "training_minutes"}
"""What of a result is the time that something took, which differs from run to run."""
LEFT = {".lock"}
"""What may lie beside a result."""


@pytest.fixture(scope="module")
def verbs(
    tmp_path_factory: pytest.TempPathFactory,
    small: Path,
    tiny: Config,
    annotations: Path,
    features: Path,
    trained: Path,
) -> dict[str, list[str]]:
    """The arguments of each verb."""
    made = tmp_path_factory.mktemp("made")
    (made / "videos").mkdir()
    for number in range(3):
        write_moving(made / "videos" / f"{number}.mp4", number)
    (made / "tiny.toml").write_text(tiny.to_toml(), "utf-8")
    data = ["--annotations", str(annotations), "--features", str(features), "--out", "OUT"]
    few = ["--model.width", "16", "--training.epochs", "2", "--training.warmup-epochs", "0", "--draws", "20"]
    return {
        "extract": ["extract", str(made / "videos"), "--backbone", "motion", "--out", "OUT"],
        "train": ["train", str(made / "tiny.toml"), *data, "RESUME"],
        "detect": ["detect", str(trained), str(features), "--out", "OUT", "--format", "jsonl", "RESUME"],
        "convert": ["convert", str(small / "official_config.yaml"), str(small / "epoch_007.pth.tar"), "OUT"],
        "compare": ["compare", "actionformer,temporalmaxer", *data, "--seeds", "1", *few],
    }


@pytest.mark.slow
def test_killed_at_fifty_moments(
    verbs: dict[str, list[str]], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    plan, out, times = tmp_path / "plan.json", tmp_path / "out", 10
    out.mkdir()
    plan.write_text(json.dumps({"verbs": verbs, "times": times, "folder": str(out)}), "utf-8")
    command = [sys.executable, str(HERE / "kill_verbs.py"), str(plan)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    for name in verbs:
        record_property(f"kills of {name}", told[name])
        whole = contents(out / f"{name}_whole")
        assert whole
        for number in range(times):
            found = contents(out / f"{name}_{number}")
            assert found.keys() == whole.keys(), f"{name}, {told[name][number]}"
            assert [file for file in whole if found[file] != whole[file]] == [], f"{name}, {told[name][number]}"


def contents(out: Path) -> dict[str, Any]:
    """File -> what it holds, but for times; `out` may be a file."""
    files = [out] if out.is_file() else [file for file in out.rglob("*") if file.is_file()]
    return {
        str(file.relative_to(out)): content_of(file)
        for file in files
        if file.name not in LEFT and file.parent.name != "events" and file.suffix not in (".md", ".html")
    }


def content_of(file: Path) -> Any:
    if file.suffix == ".jsonl":
        return [without_times(row) for row in read_json_lines(file)]
    if file.suffix == ".json":
        return without_times(json.loads(file.read_text("utf-8")))
    if file.suffix == ".pt":
        return None  # its weights are those of the model; the file holds when it was written
    return file.read_bytes()


def without_times(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: without_times(value) for key, value in content.items() if key not in MEASURED}
    return [without_times(one) for one in content] if isinstance(content, list) else content
