"""The server of detection in a process of its own, and questions to it."""

import asyncio
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import numpy as np

SCRIPT = "from actionformer.cli import main; main()"
GREETING = re.compile(r"server: http://([^:/]+):(\d+)/(?:, with the token (\S+))?\n")


def waited_for(work: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine gives, in a thread of its own: in this one the loop of a browser may run."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()


@dataclass
class Hosted:
    """A server that runs."""

    process: subprocess.Popen[str]
    port: int
    token: str | None
    said: list[str]
    """What it told before its address."""

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers and content of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        if self.token is not None:
            headers = {"Authorization": f"Bearer {self.token}"} | headers
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            kind = answer.headers.get("content-type", "")
            return answer.status, dict(answer.headers.items()), json.loads(content) if "json" in kind else content
        finally:
            connection.close()

    def socket(self) -> socket.socket:
        """A connection of its own."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def figure(self, name: str) -> float:
        """What `/metrics` says, summed over labels."""
        lines = self.ask("GET", "/metrics")[2].decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if re.match(rf"{name}(\{{|\s)", line))


@contextmanager
def hosted(run: Any, *options: Any, **environment: str) -> Iterator[Hosted]:
    """The command `serve` at a free port."""
    command = [sys.executable, "-c", SCRIPT, "serve", str(run), "--port", "0", *map(str, options)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
    said: list[str] = []
    try:
        assert process.stderr is not None
        while (told := GREETING.fullmatch(line := process.stderr.readline())) is None:
            assert line, said
            said.append(line)
        later: list[str] = []
        rest = threading.Thread(target=later.extend, args=[process.stderr], daemon=True)
        rest.start()
        yield Hosted(process, int(told[2]), told[3] or environment.get("ACTIONFORMER_TOKEN"), said)
        process.terminate()
        process.wait(timeout=60)
        rest.join(timeout=60)
        assert not later, "".join(later)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()  # type: ignore[union-attr]


def npy(array: np.ndarray) -> bytes:
    """The content of an .npy file."""
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def rows(length: int, width: int = 6, seed: int = 0) -> np.ndarray:
    """Features of noise, (length, width) float32."""
    return np.random.default_rng(seed).standard_normal((length, width)).astype(np.float32)
