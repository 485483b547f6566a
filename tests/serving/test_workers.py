import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hosting import waited_for

from actionformer.serving import workers
from actionformer.serving.limits import RefusedError
from actionformer.serving.workers import Worker, Workers

STAND_IN = """
import json, sys, time
next(sys.stdin)
for line in sys.stdin:
    task = json.loads(line)
    if task.get("die"):
        break
    print(json.dumps({"progress": 0.5}), flush=True)
    time.sleep(task.get("seconds", 0))
    print(json.dumps({"done": {"kind": task["kind"]}}), flush=True)
"""


@pytest.fixture(autouse=True)
def quick_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "COMMAND", (sys.executable, "-S", "-c", STAND_IN))
    monkeypatch.setattr(workers, "MOMENT", 0.1)


def run(test: Callable[[list[str]], Coroutine[Any, Any, None]]) -> list[str]:
    """Why processes ended by the way."""
    ended: list[str] = []
    waited_for(test(ended))
    return ended


def test_one_process_does_one_task_after_the_other() -> None:
    async def test(ended: list[str]) -> None:
        several, told = Workers(1, {}, ended.append), list[float]()
        done = await asyncio.gather(*(several.ask({"kind": str(i)}, 30, told.append, lambda: None) for i in range(3)))
        assert done == [{"kind": "0"}, {"kind": "1"}, {"kind": "2"}]
        assert told == [0.5] * 3
        await several.stop()

    assert run(test) == []


@pytest.mark.parametrize(
    ("task", "status", "words", "why"),
    [
        ({"kind": "slow", "seconds": 60}, 413, "longer than 1 s", "time"),
        ({"kind": "read", "die": True}, 422, "the process that read it died.*: send it in another format", "death"),
        ({"kind": "follow", "die": True}, 422, "died.*: let its source send another format", "death"),
    ],
)
def test_a_process_that_hangs_or_dies_makes_way_for_another(
    task: dict[str, Any], status: int, words: str, why: str
) -> None:
    async def test(ended: list[str]) -> None:
        worker = Worker({}, ended.append)
        with pytest.raises(RefusedError, match=words) as refused:
            await worker.ask(task, 1, lambda _: None)
        assert refused.value.status == status
        assert await worker.ask({"kind": "next"}, 30, lambda _: None) == {"kind": "next"}
        await worker.stop()

    assert run(test) == [why]


@pytest.mark.parametrize(
    ("loading", "seconds", "words"),
    [("break", 30, "died, perhaps for want"), ("time.sleep(60)", 1, "took longer than 1 s")],
)
def test_where_one_cannot_prepare_the_others_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loading: str, seconds: float, words: str
) -> None:
    one_alone = f"""if task["kind"] == "prepare":
        try: __import__("os").mkdir({str(tmp_path / "one")!r})
        except OSError: time.sleep(0.5)
        else: {loading}"""
    stand_in = STAND_IN.replace('if task.get("die"):\n        break', one_alone)
    monkeypatch.setattr(workers, "COMMAND", (sys.executable, "-S", "-c", stand_in))

    async def test(ended: list[str]) -> None:
        several = Workers(2, {}, ended.append)
        with pytest.raises(RefusedError, match=f"the process that loads the backbone {words}"):
            await several.prepare(seconds)
        done = await asyncio.gather(*(several.ask({"kind": x}, 30, lambda _: None, lambda: None) for x in "ab"))
        assert done == [{"kind": "a"}, {"kind": "b"}]
        await several.stop()

    run(test)


def test_a_process_that_died_without_a_task_costs_nobody_anything() -> None:
    async def test(ended: list[str]) -> None:
        worker = Worker({}, ended.append)
        await worker.ask({"kind": "first"}, 30, lambda _: None)
        process = worker._process
        assert process is not None
        process.kill()
        await process.wait()
        assert await worker.ask({"kind": "next"}, 30, lambda _: None) == {"kind": "next"}
        await worker.stop()

    assert run(test) == ["death"]


@pytest.mark.parametrize(("seconds", "same"), [(60, False), (0.05, True)])
def test_a_task_that_nobody_waits_for_is_killed_unless_it_ends_in_a_moment(seconds: float, same: bool) -> None:
    async def test(ended: list[str]) -> None:
        several = Workers(1, {}, ended.append)
        begun = asyncio.Event()
        first = asyncio.create_task(
            several.ask({"kind": "x", "seconds": seconds}, 90, lambda _: begun.set(), lambda: None)
        )
        await begun.wait()
        process = several._all[0]._process
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (several._all[0]._process is process) is same
        assert await several.ask({"kind": "y"}, 30, lambda _: None, lambda: None) == {"kind": "y"}
        await several.stop()

    run(test)


def test_all_answers_of_a_source_come_and_its_process_ends_with_them(tmp_path: Path) -> None:
    async def test(ended: list[str]) -> None:
        worker = Worker({}, ended.append)
        answers = worker.answers({"kind": "x", "seconds": 60}, None)
        assert await anext(answers) == {"progress": 0.5}
        process = worker._process
        assert process is not None
        await answers.aclose()
        assert process.returncode == -9

    run(test)
