"""The processes that read files of strangers: asked one task at a time, killed where a task takes too long."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

from actionformer.serving.limits import ADVICE, RefusedError

Tell = Callable[[float], None]
COMMAND = (sys.executable, "-P", "-m", "actionformer.serving.worker")
LONGEST_LINE = 1 << 20
MOMENT = 1.0
"""Seconds that a task is given to end by itself once nobody waits for it: a new process takes longer to start."""


class Worker:
    """One process, which is started when it is needed, and again after it was killed.

    Args:
        settings: what it is told first, see `worker.work`.
        ended: told why the process was killed, or that it died.
    """

    def __init__(self, settings: Mapping[str, Any], ended: Callable[[str], None]) -> None:
        self._settings, self._ended = settings, ended
        self._process: Process | None = None

    async def ask(self, task: Mapping[str, Any], seconds: float, tell: Tell) -> dict[str, Any]:
        """What a task gives; `tell` takes how far it has come.

        Raises:
            RefusedError: it failed, the process died, or it took too long, and the process was killed.
        """
        async with aclosing(self.answers(task, seconds)) as answers:
            async for answer in answers:
                if "progress" in answer:
                    tell(answer["progress"])
                elif "done" in answer:
                    done: dict[str, Any] = answer["done"]
                    return done
        raise AssertionError("a worker's last answer is `done`")

    async def answers(self, task: Mapping[str, Any], seconds: float | None) -> AsyncGenerator[dict[str, Any]]:
        """All that a task tells, `done` last; the process is killed if this is closed before.

        Raises:
            RefusedError: as of `ask`.
        """
        finished = False
        try:
            async with asyncio.timeout(seconds):
                process = await self._running()
                await self._send(process, task)
                while not finished:
                    answer = await self._next(process, task)
                    finished = "done" in answer or "failed" in answer
                    if "failed" in answer:
                        raise RefusedError(answer["status"], answer["failed"])
                    yield answer
        except TimeoutError:
            self._ended("time")
            raise _lost(task, seconds) from None
        finally:
            if not finished:
                await self.stop()

    async def _running(self) -> Process:
        """The process, a new one where there is none or where it has died since its last task."""
        if self._process is not None and self._process.returncode is None:
            return self._process
        if self._process is not None:
            self._ended("death")
        process = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE)
        self._process = process
        await self._send(process, self._settings)
        return process

    async def _send(self, process: Process, content: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        with suppress(ConnectionError):  # it has died, as its answer says
            process.stdin.write(json.dumps(content).encode() + b"\n")
            await process.stdin.drain()

    async def _next(self, process: Process, task: Mapping[str, Any]) -> dict[str, Any]:
        assert process.stdout is not None
        with suppress(ValueError, ConnectionError):
            answer: dict[str, Any] = json.loads(await process.stdout.readline())
            return answer
        self._ended("death")
        raise _lost(task)

    async def stop(self) -> None:
        """Kills the process."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _lost(task: Mapping[str, Any], seconds: float | None = None) -> RefusedError:
    """Why a process gives no answer: it took longer than so many seconds, or died."""
    died = "died, perhaps for want of memory"
    if task["kind"] == "prepare":
        why = died if seconds is None else f"took longer than {seconds:.0f} s"
        return RefusedError(503, f"the process that loads the backbone {why}: {ADVICE['prepare'].smaller}")
    if seconds is None:
        return RefusedError(422, f"the process that read it {died}: {ADVICE[task['kind']].other}")
    return RefusedError(413, f"reading it took longer than {seconds:.0f} s: send a shorter recording")


class Workers:
    """Several processes, each of which is asked by one at a time; who asks waits for one in turn."""

    def __init__(self, count: int, settings: Mapping[str, Any], ended: Callable[[str], None]) -> None:
        self._all = [Worker(settings, ended) for _ in range(count)]
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()
        for worker in self._all:
            self._idle.put_nowait(worker)

    async def prepare(self, seconds: float) -> None:
        """Starts all, and has them load what they will need.

        Raises:
            RefusedError: it cannot be loaded.
        """
        asked = (one.ask({"kind": "prepare"}, seconds, lambda _: None) for one in self._all)
        for error in await asyncio.gather(*asked, return_exceptions=True):  # none is asked twice at a time
            if isinstance(error, BaseException):
                raise error

    async def ask(
        self, task: Mapping[str, Any], seconds: float, tell: Tell, begun: Callable[[], None]
    ) -> dict[str, Any]:
        """What a task gives.

        Args:
            task: see `Reader.read`.
            seconds: that it may take, without the wait for its turn.
            tell: takes how far it has come.
            begun: called when its turn has come.

        Raises:
            RefusedError: as of `Worker.ask`.
        """
        worker = await self._idle.get()
        begun()
        asked = asyncio.create_task(worker.ask(task, seconds, tell))
        asked.add_done_callback(partial(self._end, worker))
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:  # nobody waits for it any more
            await asyncio.wait({asked}, timeout=MOMENT)
            asked.cancel()
            await asyncio.wait({asked})
            raise

    def _end(self, worker: Worker, asked: asyncio.Task[dict[str, Any]]) -> None:
        self._idle.put_nowait(worker)
        if not asked.cancelled():
            asked.exception()  # whoever has left does not look at it

    async def stop(self) -> None:
        """Kills all."""
        await asyncio.gather(*(one.stop() for one in self._all))
