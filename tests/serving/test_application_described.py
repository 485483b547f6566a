"""The description of the addresses says what they do: schemathesis makes requests of it and finds nothing."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hosting import hosted

HOOKS = """
import schemathesis
from hosting import npy, rows
from hypothesis import strategies

features = strategies.integers(1, 40).map(lambda length: npy(rows(length)))
schemathesis.openapi.media_type("application/octet-stream", features)
"""
"""Of a file the description can only say that it is one."""
SETTINGS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "413", "422", "429", "5xx"]
"""
"""What is well formed may still be of another timing than the model's, or name a class that it does not know."""


def asked_at_random(trained: Path, folder: Path, *options: str) -> str:
    (folder / "hooks.py").write_text(HOOKS, "utf-8")
    (folder / "schemathesis.toml").write_text(SETTINGS, "utf-8")
    paths = [str(folder), str(Path(__file__).parents[1] / "support"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, paths)),
    }
    with hosted(trained, "--workers", 1, "--patience", 2) as server:
        address = f"http://127.0.0.1:{server.port}/openapi.json"
        program = "from schemathesis.cli import schemathesis; schemathesis()"
        command = [sys.executable, "-c", program, "run", address, "--seed", "1", "--no-color", *options]
        done = subprocess.run(
            command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
        )
        assert server.ask("GET", "/readyz")[0] == 200
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


pytestmark = pytest.mark.skipif(
    find_spec("schemathesis") is None, reason="schemathesis is not installed: it is part of the extra dev"
)


def test_requests_made_of_the_description_find_nothing(trained: Path, tmp_path: Path) -> None:
    said = asked_at_random(trained, tmp_path, "--phases", "examples,fuzzing", "--max-examples", "3")
    assert "No issues found" in said


@pytest.mark.slow
def test_many_requests_made_of_the_description_find_nothing(trained: Path, tmp_path: Path) -> None:
    assert "No issues found" in asked_at_random(trained, tmp_path, "--max-examples", "100")
