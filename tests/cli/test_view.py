import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from commands import Refused
from moving import write_moving

from actionformer.core.detections import Detections
from actionformer.formats.detections import write_results


@pytest.fixture
def found(tmp_path: Path) -> Path:
    write_results(tmp_path / "found.json", {"v": Detections([[0.0, 1.0]], [0.5], [0], ("left",))})
    return tmp_path / "found.json"


@contextmanager
def viewing(*arguments: Any, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the address that it tells."""
    script = "from actionformer.cli import main; main()"
    command = [sys.executable, "-c", script, "view", *map(str, arguments), "--no-browser"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
    try:
        assert process.stderr is not None
        told = re.fullmatch(r"viewer: (http://\S+)\n", process.stderr.readline())
        assert told is not None
        yield process, told[1]
    finally:
        process.terminate()  # by itself it removes its temporary folder
        process.communicate(timeout=20)


def ask(address: str, path: str, host: str) -> int:
    port = int(re.findall(r":(\d+)/", address)[0])
    connection = HTTPConnection(host, port, timeout=20)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


ONCE_MORE = (pytest.param(one, marks=pytest.mark.slow) for one in (signal.SIGTERM, signal.SIGHUP))


@pytest.mark.parametrize("ending", [signal.SIGINT, *ONCE_MORE])
def test_it_tells_its_address_answers_and_ends_when_told(found: Path, tmp_path: Path, ending: signal.Signals) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    with viewing(found, TMPDIR=str(folder)) as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        assert len(list(folder.iterdir())) == 1  # where copies of videos go
        assert ask(address, "/api/project", "127.0.0.1") == 200
        process.send_signal(ending)
        _, rest = process.communicate(timeout=20)
        assert process.returncode in (130, 143)
        assert "Traceback" not in rest
    assert not list(folder.iterdir())


@pytest.mark.slow
def test_it_ends_in_order_while_it_encodes(found: Path, tmp_path: Path) -> None:
    folder, videos = tmp_path / "temporary", tmp_path / "videos"
    folder.mkdir()
    videos.mkdir()
    write_moving(videos / "v.avi", seed=0, seconds=60)
    with viewing(found, "--videos", videos, TMPDIR=str(folder)) as (process, address):
        assert ask(address, "/api/videos/v/media/0", "127.0.0.1") == 200
        port = int(re.findall(r":(\d+)/", address)[0])
        waiting = [HTTPConnection("127.0.0.1", port, timeout=20) for _ in range(17)]
        for number, connection in enumerate(waiting, start=1):
            connection.request("GET", f"/api/videos/v/media/{number}")
        waiting[0].getresponse()
        assert len(list(folder.rglob("*.segment"))) > 1
        process.terminate()
        _, rest = process.communicate(timeout=20)
        assert process.returncode == 143
        assert "Traceback" not in rest
        for connection in waiting:
            connection.close()
    assert not list(folder.iterdir())


def test_other_machines_need_the_token_that_is_told(found: Path) -> None:
    with viewing(found, "--host", "0.0.0.0") as (_, address):
        shown = re.fullmatch(r"http://localhost:\d+/\?token=([\w-]{32,})", address)
        assert shown is not None
        assert ask(address, "/api/project", "127.0.0.1") == 401
        assert ask(address, f"/api/project?token={shown[1]}", "127.0.0.1") == 200


def test_an_address_that_is_taken_is_refused(found: Path, refused: Refused) -> None:
    with viewing(found) as (_, address):
        port = re.findall(r":(\d+)/", address)[0]
        assert f"cannot listen at 127.0.0.1, port {port}" in refused("view", found, "--no-browser", "--port", port)
    assert "cannot listen at nowhere.invalid" in refused("view", found, "--no-browser", "--host", "nowhere.invalid")
