"""Videos in which something moves, and sources that play them."""

import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import av
import numpy as np

FPS, SECONDS = 10, 6.0
ACTIONS: list[dict[str, Any]] = [{"segment": [1.0, 2.5], "label": "left"}, {"segment": [3.5, 5.0], "label": "right"}]
PACKET = 188  # bytes, of a transport stream


def write_moving(path: Path, seed: int, seconds: float = SECONDS, rate: int = FPS) -> Path:
    """A textured square on grey that moves left from 1 to 2.5 s and back from 3.5 to 5 s, and again every 6 s."""
    rng = np.random.default_rng(seed)
    square = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate, options={"g": "10"})
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        for frame in range(round(rate * seconds)):
            i = frame * FPS // rate
            i %= round(FPS * SECONDS)
            moved = np.clip(i - 10, 0, 15) - np.clip(i - 35, 0, 15)
            image = np.full((96, 128, 3), 128, dtype=np.uint8)
            image[32:64, 64 - 4 * moved : 96 - 4 * moved] = square
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_actions(path: Path, videos: Path) -> Path:
    """Annotations of a folder of such videos: the last by name is for validation, the others are for training."""
    names = sorted(file.stem for file in videos.iterdir())
    database = {
        name: {"subset": "validation" if name == names[-1] else "training", "duration": SECONDS, "annotations": ACTIONS}
        for name in names
    }
    path.write_text(json.dumps({"database": database}), "utf-8")
    return path


@contextmanager
def played(content: bytes, pipe: Path, seconds: float = 0.0) -> Iterator[Path]:
    """A named pipe into which a video is played, evenly over so many seconds."""
    os.mkfifo(pipe)

    def play() -> None:
        parts = np.array_split(np.frombuffer(content, np.uint8), 20)
        try:
            with pipe.open("wb", buffering=0) as file:
                for part in parts:
                    file.write(part.tobytes())
                    time.sleep(seconds / len(parts))
        except BrokenPipeError:  # nobody reads any more
            pass

    with running(play):
        yield pipe


@contextmanager
def written(content: bytes, path: Path, bursts: int, pause: float) -> Iterator[Path]:
    """A file into which a video is written in bursts, the first of which is there."""
    first, *rest = (part.tobytes() for part in np.array_split(np.frombuffer(content, np.uint8), bursts))
    path.write_bytes(first)

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            for part in rest:
                time.sleep(pause)
                file.write(part)

    with running(write):
        yield path


@contextmanager
def camera(content: bytes, seconds: float) -> Iterator[str]:
    """The address of an RTSP server, of one client, that plays a transport stream within so many seconds."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def serve() -> None:
        try:
            client, _ = server.accept()
            with client, client.makefile("rwb") as file:
                while _answer(file) not in ("PLAY", ""):
                    pass
                size = 7 * PACKET
                count = -(-len(content) // size)
                for i in range(count):
                    clock = int(90_000 * seconds * i / count)
                    packet = struct.pack(">BBHII", 0x80, 33, i, clock, 1) + content[i * size : (i + 1) * size]
                    file.write(b"$\0" + struct.pack(">H", len(packet)) + packet)
                    file.flush()
                    time.sleep(seconds / count)
        except (ConnectionError, TimeoutError):
            pass

    with server, running(serve):
        yield f"rtsp://user:secret@127.0.0.1:{server.getsockname()[1]}/camera"


def _answer(file: Any) -> str:
    """Answers one request of RTSP; returns its method, nothing once the client is gone."""
    lines = []
    while line := file.readline().decode().strip():
        lines.append(line)
    if not lines:
        return ""
    method: str = lines[0].split()[0]
    number = next(line for line in lines if line.lower().startswith("cseq"))
    body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track\r\n"
    about = {
        "OPTIONS": "Public: DESCRIBE, SETUP, PLAY",
        "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(body)}",
        "SETUP": "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1",
    }.get(method, "Session: 1")
    file.write(f"RTSP/1.0 200 OK\r\n{number}\r\n{about}\r\n\r\n{body if method == 'DESCRIBE' else ''}".encode())
    file.flush()
    return method


@contextmanager
def running(work: Any) -> Iterator[None]:
    """Work in a thread, which has ended when the block has."""
    thread = Thread(target=work, daemon=True)
    thread.start()
    yield
    thread.join(timeout=20)
    assert not thread.is_alive()
