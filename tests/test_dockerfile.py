"""The Dockerfile, step by step, without Docker: its files are there, its command is known, its steps run."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from cyclopts import App

from actionformer.cli import commands

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "Dockerfile"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the Dockerfile is part of the checkout alone")


def steps() -> list[tuple[str, str]]:
    lines = FILE.read_text("utf-8").replace("\\\n", " ").splitlines()
    return [(step[0], step[2]) for line in lines if line and not line.startswith("#") if (step := line.partition(" "))]


def of(kind: str) -> list[str]:
    return [what for name, what in steps() if name == kind]


def test_every_step_is_one_that_is_checked_here() -> None:
    assert {name for name, _ in steps()} == {
        "FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT",
    }  # fmt: skip
    assert of("FROM") == ["python:3.11-slim"]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    taken = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    for line in of("COPY"):
        *sources, target = line.split()
        assert target.startswith("./")
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source in taken


def test_extras_and_constraints_are_those_of_the_project() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (extras,) = re.findall(r"\.\[([\w,]+)\]", " ".join(of("RUN")))
    for extra in extras.split(","):
        assert f"\n{extra} = [" in text
    assert all("--constraint constraints.txt" in line for line in of("RUN"))


def test_the_command_is_one_of_the_program_and_listens_where_the_file_says() -> None:
    (entry,), (port,), (health,) = map(of, ("ENTRYPOINT", "EXPOSE", "HEALTHCHECK"))
    program, *words = json.loads(entry)
    app: App = commands(listed=False)
    _, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert program == "actionformer"
    assert bound.arguments["host"] == "0.0.0.0"  # what a container publishes; a token is needed
    assert bound.arguments["port"] == int(port)
    assert f":{port}/readyz" in health
    compile(json.loads(health.removeprefix("CMD "))[2], "health", "exec")


@pytest.mark.slow
def test_the_steps_run_in_an_environment_of_their_own(trained: Path, tmp_path: Path) -> None:
    work, model = tmp_path / "app", tmp_path / "model"
    work.mkdir()
    shutil.copytree(trained, model)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment = clean | {"PATH": f"{tmp_path / 'venv' / 'bin'}:{os.environ['PATH']}", "ACTIONFORMER_TOKEN": "secret"}
    for name, what in steps():
        if name == "COPY":
            *sources, target = what.split()
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, work / target, ignore=lambda _, names: ignored(names))
                else:
                    shutil.copy(ROOT / source, work / target)
        elif name == "RUN":
            subprocess.run(["sh", "-c", what], check=True, cwd=work, env=environment, timeout=1500)
    words = [str(model) if word == "/model" else word for word in json.loads(of("ENTRYPOINT")[0])]
    words[words.index("--port") + 1] = port = str(free_port())
    with subprocess.Popen(words, cwd=tmp_path, env=environment) as process:
        try:
            check = json.loads(of("HEALTHCHECK")[0].removeprefix("CMD "))
            check[2] = check[2].replace(":8000", f":{port}")
            until = time.monotonic() + 120
            while subprocess.run(check, check=False, env=environment, capture_output=True).returncode:
                assert time.monotonic() < until
                time.sleep(1)
            np.save(tmp_path / "it.npy", np.zeros((30, 6), np.float32))
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/detect?name=it.npy",
                (tmp_path / "it.npy").read_bytes(),
                {"Authorization": "Bearer secret", "Content-Type": "application/octet-stream"},
            )
            with urllib.request.urlopen(asked, timeout=60) as answer:
                assert "it" in json.load(answer)["results"]
        finally:
            process.terminate()
        assert process.wait(timeout=60) == 0


def ignored(names: list[str]) -> set[str]:
    return {name for name in names if fnmatch(name, "__pycache__")}


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
