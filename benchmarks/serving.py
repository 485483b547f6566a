"""Two hundred clients at once on one server; writes benchmarks/results/serving.json.

    python benchmarks/serving.py                   ten minutes
    python benchmarks/serving.py --seconds 60      a shorter look, which writes nothing

The server holds HAPT's network with random weights. Each client sends five minutes of features, again and again, on a
new connection, and comes back when it is told to. Clients and server share the machine's cores. An answer's time, from
the connection to the last byte, is told as a multiple of the work in the queue: the requests that the server holds at
most, times the mean time from one answer to the next in the same run. Memory is that of the server and its processes.
Needs Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from common import write_result

from actionformer import build
from actionformer.core.detections import Detections
from actionformer.model_directory import save_model

CLIENTS, QUEUE, LENGTH = 200, 64, 600
WARMING = 30.0
"""Seconds that do not count."""
EVERY = 5.0
"""Seconds between two looks at memory."""
TARGET = 3.0


@dataclass
class Seen:
    """What clients have seen."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    """From a connection to the end of an answer, of each that was one."""
    memory: list[float] = field(default_factory=list)
    """MiB of the server and its processes."""


@contextmanager
def served(run: Path, *options: str) -> Iterator[tuple[int, int]]:
    """The port of a server, and the number of its process."""
    command = [sys.executable, "-c", "from actionformer.cli import main; main()", "serve", str(run), "--port", "0"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while (told := re.match(r"server: http://[^:]+:(\d+)/", line := process.stderr.readline())) is None:
            assert line, "the server has not started"
        try:
            yield int(told[1]), process.pid
        finally:
            process.terminate()
            process.communicate()


def request_of(features: np.ndarray) -> bytes:
    """A whole request with these features."""
    body = io.BytesIO()
    np.save(body, features)
    head = (
        "POST /v1/detect?name=it.npy&min_score=0.5 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {len(body.getvalue())}\r\n\r\n"
    )
    return head.encode() + body.getvalue()


async def ask(port: int, request: bytes, seen: Seen, until: float) -> None:
    """One client, which asks again and again."""
    while (begun := time.monotonic()) < until:
        answer = b""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answer = await reader.read()
            writer.close()
            status = answer[9:12].decode() or "nothing"
        except OSError as error:
            status = type(error).__name__
        seen.statuses[status] += 1
        if status == "200":
            seen.seconds.append(time.monotonic() - begun)
        elif again := re.search(rb"(?i)retry-after: (\d+)", answer):
            await asyncio.sleep(int(again[1]))


async def crowd(port: int, process: int, clients: int, seconds: float, request: bytes) -> Seen:
    """All clients for so many seconds."""
    seen = Seen()
    until = time.monotonic() + seconds

    async def look() -> None:
        while time.monotonic() < until:
            seen.memory.append(memory_of(process))
            await asyncio.sleep(EVERY)

    await asyncio.gather(look(), *(ask(port, request, seen, until) for _ in range(clients)))
    return seen


def memory_of(process: int) -> float:
    """MiB that a process and those that it has started hold in memory."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in (process, *map(int, found)))
    return pages * 4096 / (1 << 20)


def figures_of(seen: Seen, seconds: float, queue: int) -> dict[str, Any]:
    """What is told of a run."""
    answered, asked = len(seen.seconds), sum(seen.statuses.values())
    work = queue * seconds / answered
    third = max(len(seen.memory) // 3, 1)
    return {
        "requests": asked,
        "answered": answered,
        "share_429": seen.statuses["429"] / asked,
        "failed": asked - answered - seen.statuses["429"],
        "other": {name: count for name, count in seen.statuses.items() if name not in ("200", "429")},
        "p50_queues": float(np.percentile(seen.seconds, 50)) / work,
        "p99_queues": float(np.percentile(seen.seconds, 99)) / work,
        "longest_queues": max(seen.seconds) / work,
        "target_queues": TARGET,
        "memory_last_third_of_first": float(np.mean(seen.memory[-third:]) / np.mean(seen.memory[:third])),
        "memory_highest_mib": max(seen.memory),
        "memory_mib": [round(one, 1) for one in seen.memory[:: max(len(seen.memory) // 20, 1)]],
    }


def write_run(folder: Path) -> tuple[Path, np.ndarray]:
    """A run directory of random weights, and features for it."""
    detector = build("hapt")
    save_model(folder / "run", detector.model, detector.config, detector.card)
    width = detector.config.model.input_width
    features = np.random.default_rng(0).standard_normal((LENGTH, width)).astype(np.float32)
    found: Detections = detector.detect(features)
    print(f"{len(found)} detections in {LENGTH} features of {width} channels", flush=True)
    return folder / "run", features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--queue", type=int, default=QUEUE)
    parser.add_argument("--batch-size", type=int, default=8)
    given = parser.parse_args()
    options = ["--queue", str(given.queue), "--batch-size", str(given.batch_size)]
    with tempfile.TemporaryDirectory() as name:
        run, features = write_run(Path(name))
        with served(run, *options) as (port, process):
            asyncio.run(crowd(port, process, given.clients, min(WARMING, given.seconds), request_of(features)))
            seen = asyncio.run(crowd(port, process, given.clients, given.seconds, request_of(features)))
    figures = figures_of(seen, given.seconds, given.queue)
    print(figures, flush=True)
    if given.seconds >= 600 and given.clients == CLIENTS:
        shape = {"clients": given.clients, "queue": given.queue, "features": list(features.shape)}
        write_result("serving", {**shape, "seconds": given.seconds, **figures})


if __name__ == "__main__":
    main()
