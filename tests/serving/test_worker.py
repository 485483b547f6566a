import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from hosting import npy, rows

from actionformer.core.errors import InputError
from actionformer.core.memory import STATUS
from actionformer.serving.limits import RefusedError
from actionformer.serving.reading import Reader, Settings
from actionformer.serving.worker import is_of_memory, work

SETTINGS = Settings(
    features={"fps": 10, "stride": 5, "num_frames": 10},
    width=6,
    max_bytes=1 << 30,
    max_seconds=1e9,
    max_pixels=1 << 20,
    max_copied=1 << 30,
    patience=5,
)


def told(*tasks: dict[str, Any], memory: float = 512) -> list[dict[str, Any]]:
    """What a process answers."""
    first = {"reader": asdict(SETTINGS), "memory": memory, "threads": 1}
    lines = "".join(json.dumps(one) + "\n" for one in (first, *tasks))
    command = [sys.executable, "-m", "actionformer.serving.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(lines)
        process.stdin.flush()
        return [json.loads(process.stdout.readline()) for _ in tasks]


def test_a_process_ends_with_its_server_in_the_middle_of_a_task() -> None:
    """One that was killed cannot kill it: a decoder that hangs, or a camera that sees no action, went on for ever."""
    hangs = "reading.Reader.prepare = lambda _: print('hangs', file=sys.stderr, flush=True) or time.sleep(600)"
    script = f"import sys, time; from actionformer.serving import reading, worker; {hangs}; worker.main()"
    lines = [{"reader": asdict(SETTINGS), "memory": 1, "threads": 1}, {"kind": "prepare"}]
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write("".join(json.dumps(one) + "\n" for one in lines).encode())
        process.stdin.flush()
        assert process.stderr.readline() == b"hangs\n"
        process.stdin.close()
        try:
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


def reading(folder: Path, content: bytes, name: str = "it.npy") -> dict[str, Any]:
    folder.mkdir()
    (folder / "sent").write_bytes(content)
    task = {"kind": "read", "name": name, "out": str(folder), "sent": str(folder / "sent"), "timing": {}}
    return task | {"recordings": True}


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells what a process holds, and heeds the limit")
def test_a_process_reads_one_file_after_the_other_and_takes_no_more_memory_than_it_is_given(tmp_path: Path) -> None:
    large = np.zeros((1 << 21, 6), np.float32)  # 48 MiB
    answers = told(
        reading(tmp_path / "first", npy(rows(9))),
        reading(tmp_path / "broken", b"x"),
        reading(tmp_path / "large", npy(large)),
        reading(tmp_path / "last", npy(rows(9))),
        memory=32,
    )
    first, broken, beyond, last = answers
    assert first["done"]["files"] == [str(tmp_path / "first" / "read.npy")]
    assert (broken["status"], "not a readable .npy file" in broken["failed"]) == (422, True)
    said = "it takes more memory than the server gives one request: send a smaller one"
    assert beyond == {"failed": said, "status": 413}
    assert np.array_equal(np.load(last["done"]["files"][0]), rows(9))


def test_what_a_library_says_of_memory() -> None:
    error = InputError("it cannot be read")
    error.__cause__ = MemoryError()
    assert is_of_memory(error)
    assert is_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"))
    assert not is_of_memory(InputError("it is broken"))
    assert not is_of_memory(None)


def test_an_error_of_a_library_is_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("codec")

    monkeypatch.setattr(Reader, "read", broken)
    monkeypatch.setattr("actionformer.serving.worker.limit_memory", lambda _: None)
    answers: list[dict[str, Any]] = []
    settings = {"reader": asdict(SETTINGS), "memory": 1, "threads": 1}
    work(settings, iter([{"kind": "read"}]), lambda **content: answers.append(content))
    assert answers == [{"failed": "it cannot be read (KeyError): send it in another format", "status": 422}]


@pytest.mark.parametrize(("kind", "said"), [("read", "give ?fps="), ("prepare", "give --fps")])
def test_options_are_said_to_the_operator_alone(monkeypatch: pytest.MonkeyPatch, kind: str, said: str) -> None:
    monkeypatch.setattr(Reader, kind, Mock(side_effect=InputError("it.csv: give --fps")))
    monkeypatch.setattr("actionformer.serving.worker.limit_memory", lambda _: None)
    answers: list[dict[str, Any]] = []
    settings = {"reader": asdict(SETTINGS), "memory": 1, "threads": 1}
    work(settings, iter([{"kind": kind}]), lambda **content: answers.append(content))
    assert answers == [{"failed": f"it.csv: {said}", "status": 422}]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("codec"), "it cannot be read (KeyError): let its source send another format"),
        (MemoryError(), "it takes more memory than the server gives one request: let its source send smaller pictures"),
    ],
)
def test_who_follows_a_source_is_not_told_to_send_another_file(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    monkeypatch.setattr("actionformer.recipes.live.watch", Mock(side_effect=error))
    answers: list[dict[str, Any]] = []
    task = {"kind": "follow", "run": "run", "source": "camera", "watch": {}}
    settings = {"reader": asdict(SETTINGS), "memory": 1, "threads": 1}
    work(settings, iter([task]), lambda **content: answers.append(content))
    assert [one["failed"] for one in answers] == [said]


def test_memory_is_limited_once_what_follows_a_source_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def load(*_: object, **__: object) -> Mock:
        order.append("load")
        return Mock()

    def limit(_: float) -> None:
        order.append("limit")
        raise RefusedError(413, "enough")

    monkeypatch.setattr("actionformer.serving.worker.limit_memory", limit)
    answers: list[dict[str, Any]] = []
    settings = {"reader": asdict(SETTINGS), "memory": 1, "threads": 1}
    task = {"kind": "follow", "run": "run", "source": "camera", "watch": {}}
    monkeypatch.setattr("actionformer.recipes.live.watch", load)
    work(settings, iter([task]), lambda **content: answers.append(content))
    assert order == ["load", "limit"]
    assert answers == [{"failed": "enough", "status": 413}]
