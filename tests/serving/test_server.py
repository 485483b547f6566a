"""The server from outside: clients that lie, are slow or many, and signals."""

import asyncio
import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Refused
from hosting import SCRIPT, Hosted, hosted, npy, rows, waited_for
from pages import ROOT

from actionformer.core.terminal import plain_console
from actionformer.serving.server import run_server
from actionformer.serving.service import Service

FEATURES = npy(rows(60))
QUICK = ("--patience", 1, "--max-mib", 4, "--workers", 1)


@pytest.fixture(scope="module")
def server(trained: Path) -> Iterator[Hosted]:
    with hosted(trained, *QUICK) as server:
        yield server


def well(server: Hosted) -> bool:
    """Whether it still answers."""
    status, _, content = server.ask("POST", "/v1/detect?name=mine.npy", FEATURES)
    return status == 200 and len(content["results"]["mine"]) > 0


def exchanged(server: Hosted, *parts: bytes, pause: float = 0.0) -> bytes:
    """What comes back for bytes that are sent as they are, until the server closes the connection."""
    received = b""
    with server.socket() as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except OSError:
                break
            time.sleep(pause)
        with contextlib.suppress(ConnectionError):
            while block := connection.recv(1 << 16):
                received += block
    return received


def head(length: str, path: str = "/v1/detect", more: str = "") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {length}\r\n{more}\r\n"
    ).encode()


def spoken(answer: bytes, status: int) -> str:
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["error"])


def test_a_length_that_is_too_large_is_refused_before_anything_comes(server: Hosted) -> None:
    assert "more was sent than the 4 MiB" in spoken(exchanged(server, head("1000000000000")), 413)
    assert well(server)


def test_who_sends_all_of_it_before_listening_hears_why_it_is_too_much(server: Hosted) -> None:
    status, _, content = server.ask("POST", "/v1/detect?name=large.npy", bytes(20 << 20))
    assert status == 413
    assert "more was sent than the 4 MiB" in content["error"]


@pytest.mark.parametrize("length", ["-1", "x", "1, 2", "99999999999999999999999999"])
def test_a_length_that_is_none_is_refused(server: Hosted, length: str) -> None:
    answer = exchanged(server, head(length), b"x")
    assert "no HTTP/1.1 request" in spoken(answer, 400)
    assert well(server)


def test_who_sends_letters_as_they_are_is_told_to_encode_them(server: Hosted) -> None:
    asked = head("1", "/v1/detect?name=über.npy")
    assert "percent-encoded" in spoken(exchanged(server, asked, b"x"), 400)


def test_less_than_was_promised_is_given_up(server: Hosted) -> None:
    begun = time.monotonic()
    assert "stood still for 1 s" in spoken(exchanged(server, head("1000"), b"x" * 10), 408)
    assert time.monotonic() - begun < 10
    with server.socket() as connection:  # and who leaves is not waited for
        connection.sendall(head("1000") + b"x" * 10)
    assert well(server)


def test_more_than_was_promised_is_no_request(server: Hosted) -> None:
    answer = exchanged(server, head("10") + b"x" * 10 + b"\x00 more of it\r\n\r\n")
    first, _, rest = answer.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 422 ")
    assert b"HTTP/1.1 400 " in rest
    assert well(server)


def test_a_body_without_a_length_is_cut_off(server: Hosted) -> None:
    begin = head("0", more="Transfer-Encoding: chunked\r\n").replace(b"Content-Length: 0\r\n", b"")
    chunk = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
    assert "more was sent than the 4 MiB" in spoken(exchanged(server, begin, *[chunk] * 6), 413)
    assert well(server)


def test_slow_heads_are_given_up_and_hold_nobody_up(server: Hosted) -> None:
    slow = [server.socket() for _ in range(50)]
    for connection in slow:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert well(server)
    begun, closed = time.monotonic(), 0
    while closed < len(slow):
        assert time.monotonic() - begun < 20
        for connection in slow:
            with contextlib.suppress(OSError):
                connection.send(b"X: y\r\n")  # a little now and then
        time.sleep(0.3)
        closed = sum(is_closed(connection) for connection in slow)
    for connection in slow:
        connection.close()
    assert well(server)


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_who_does_not_take_an_answer_is_given_up(server: Hosted) -> None:
    before = server.figure("process_open_fds")
    slow = []
    for _ in range(5):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200)
        slow.append(connection)
    until = time.monotonic() + 30
    while server.figure("process_open_fds") > before:
        assert time.monotonic() < until
        time.sleep(0.2)
    for connection in slow:
        connection.close()
    assert well(server)


@pytest.mark.parametrize(
    "request_", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"A" * 99999]
)
def test_what_is_no_request(server: Hosted, request_: bytes) -> None:
    assert "no HTTP/1.1 request" in spoken(exchanged(server, request_, b"\r\n\r\n"), 400)
    assert well(server)


def test_who_leaves_before_the_answer_is_not_worked_for(server: Hosted) -> None:
    for _ in range(20):
        with server.socket() as connection:
            connection.sendall(head(str(len(FEATURES))) + FEATURES)
    assert well(server)
    until = time.monotonic() + 10
    while server.figure("actionformer_requests_(waiting|reading|detecting)"):
        assert time.monotonic() < until
        time.sleep(0.1)


# --- many


async def many(port: int, clients: int, seconds: float) -> tuple[Counter[str], list[float]]:
    """Clients that ask all the time and come again when they are told: how often which status, and how long it took."""
    statuses: Counter[str] = Counter()
    taken: list[float] = []
    until = time.monotonic() + seconds
    request = head(str(len(FEATURES)), "/v1/detect?name=mine.npy") + FEATURES

    async def ask() -> None:
        while time.monotonic() < until:
            begun = time.monotonic()
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
                answer = await reader.read()
                writer.close()
                status = answer[9:12].decode() or "nothing"
            except OSError as error:
                status, answer = type(error).__name__, b""
            statuses[status] += 1
            if status == "200":
                taken.append(time.monotonic() - begun)
            elif again := re.search(rb"(?i)retry-after: (\d+)", answer):
                await asyncio.sleep(int(again[1]))

    await asyncio.gather(*(ask() for _ in range(clients)))
    return statuses, taken


@pytest.mark.slow
def test_ten_minutes_of_two_hundred_clients_leave_memory_as_it_was(trained: Path) -> None:
    with hosted(trained, "--queue", 32) as server:
        waited_for(many(server.port, 200, 60))
        before = server.figure("process_resident_memory_bytes")
        statuses, _ = waited_for(many(server.port, 200, 540))
        after = server.figure("process_resident_memory_bytes")
    assert set(statuses) <= {"200", "429"}
    assert after < 1.1 * before


# --- the process


def test_two_hundred_clients_are_answered_or_told_to_come_again_and_it_ends_in_order(
    trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    with hosted(trained, "--queue", 32, TMPDIR=str(folder)) as server:
        assert len(list(folder.iterdir())) == 1
        statuses, taken = waited_for(many(server.port, 200, 2))
        assert set(statuses) <= {"200", "429"}
        assert len(taken) >= 32
        jobs = [server.ask("POST", "/v1/jobs", FEATURES)[2]["id"] for _ in range(3)]
        server.process.terminate()
        states = dict.fromkeys(jobs, "waiting")
        while set(states.values()) - {"done", "failed"}:  # they can be had until the end
            for job in jobs:
                states[job] = server.ask("GET", f"/v1/jobs/{job}")[2]["state"]
        assert server.process.wait(timeout=60) == 0
    assert not list(folder.iterdir())


def test_asked_twice_it_ends_at_once(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    with hosted(trained, "--workers", 1, "--grace", 300, TMPDIR=str(folder), ACTIONFORMER_TOKEN="secret") as server:
        assert server.ask("GET", "/v1/model", Authorization="Bearer secre")[0] == 401
        assert server.ask("POST", "/v1/jobs", FEATURES)[0] == 202
        while server.figure("actionformer_batch_recordings_count") < 1:
            time.sleep(0.05)
        server.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(timeout=1)
        assert server.process.poll() is None  # a result is to be fetched
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=60) == 1
    assert not list(folder.iterdir())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells the processes of a process")
def test_told_to_end_while_backbones_load_it_does(seen: Path) -> None:
    hangs = "workers.COMMAND = (sys.executable, '-S', '-c', 'import time; time.sleep(600)')"
    script = f"import sys; from actionformer.serving import workers; {hangs}; {SCRIPT}"
    command = [sys.executable, "-c", script, "serve", str(seen / "run"), "--port", "0", "--workers", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            until = time.monotonic() + 60
            while not children.read_text():
                assert time.monotonic() < until
                time.sleep(0.05)
            process.send_signal(signal.SIGHUP)
            assert process.communicate(timeout=20)[1] == ""
            assert process.returncode == 0
        finally:
            process.kill()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal that closes tells it here")
def test_signals_outside_the_loop_are_not_its_own(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = []
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: found.append(signal.getsignal(signal.SIGHUP)))
    with socket.socket() as listener:
        run_server(service, listener, None, greeting="", console=plain_console(quiet=True))
    assert found == [signal.getsignal(signal.SIGHUP)]


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGHUP])
def test_other_machines_need_the_token_that_is_told(trained: Path, ending: signal.Signals) -> None:
    with hosted(trained, "--host", "0.0.0.0", "--workers", 1) as server:
        assert server.token is not None
        assert server.ask("GET", "/v1/model", Authorization="")[0] == 401
        assert server.ask("GET", "/v1/model")[0] == 200
        server.process.send_signal(ending)
        assert server.process.wait(timeout=60) == 0


@pytest.mark.slow
def test_a_live_source_is_left_when_its_client_leaves(seen: Path, videos: Path) -> None:
    source = videos / "clip0.mp4"  # has ended, and is waited for
    with hosted(seen / "run", "--workers", 1, "--allow", source, "--patience", 300) as server:
        with server.socket() as connection:
            connection.sendall(f"GET /v1/live?source={source} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            received = b""
            while b"event: begun" not in received:
                part = connection.recv(1 << 16)
                assert part, received
                received += part
            assert server.figure("actionformer_live_sources") == 1
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        until = time.monotonic() + 60
        while server.figure("actionformer_live_sources") or len(children.read_text().split()) > 1:  # one reads files
            assert time.monotonic() < until
            time.sleep(0.1)


def test_what_cannot_be_served_is_refused(trained: Path, refused: Refused, tmp_path: Path) -> None:
    assert "no model directory" in refused("serve", tmp_path)
    assert "port 70000" in refused("serve", trained, "--port", 70000)
    assert "queue must be 1 or more" in refused("serve", trained, "--queue", 0)
    assert "workers and batch_size" in refused("serve", trained, "--workers", 0)
    assert "is no prefix of addresses" in refused("serve", trained, "--allow", "media.example.org")
    assert "a token consists of" in refused("serve", trained, "--token", "a b")


def test_the_client_of_the_page_runs(server: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "serving.md").read_text("utf-8")
    (code,) = re.findall(r"```text\n(import .*?)```", page, re.DOTALL)
    assert len(code.split("\n\n")[1].splitlines()) < 10
    (tmp_path / "night.npy").write_bytes(FEATURES)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(code.replace(":8000", f":{server.port}"), "client", "exec"), names)
    assert len(names["found"]["results"]["night"]) > 0
