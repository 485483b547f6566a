"""The server of detection as a process: how it begins, and how it ends when it is told to."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from rich.console import Console

from actionformer.core.terminal import say
from actionformer.serving.application import application
from actionformer.serving.protocol import MOST_CONNECTIONS, PatientProtocol
from actionformer.serving.service import Service

FLUSHING = 3
"""Seconds in which the last answers are taken, once all work is done."""
FILES = 4 * MOST_CONNECTIONS
"""That are open at once, connections among them."""


def run_server(
    service: Service, listener: socket.socket, token: str | None, *, greeting: str, console: Console
) -> None:
    """Answers until it is told to end.

    Args:
        service: what answers.
        listener: the socket that listens.
        token: what requests have to show, if anything.
        greeting: what is told once it answers.
        console: where that is told, and what the server cannot do.
    """
    _open_more_files()
    settings = uvicorn.Config(
        application(service, token),
        http=partial(PatientProtocol, seconds=service.limits.patience),  # type: ignore[arg-type]
        log_level="error",
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=FLUSHING,
    )
    server = _Server(settings, service, greeting, console)
    server.run(sockets=[listener])
    if service.hurried:
        sys.exit(1)


class _Server(uvicorn.Server):
    """Ends once all that it holds is finished or handed back; asked a second time, at once."""

    def __init__(self, settings: uvicorn.Config, service: Service, greeting: str, console: Console) -> None:
        super().__init__(settings)
        self._service, self._greeting, self._console = service, greeting, console
        self._ending: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins, and tells the address once it answers."""
        await super().startup(sockets)
        if self._service.ending:
            return
        if self._service.unprepared is not None:
            say(self._console, f"no recordings are taken, features are: {self._service.unprepared}")
        say(self._console, self._greeting)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """While the loop runs signals end the server, a terminal that closes too."""
        hangs_up = getattr(signal, "SIGHUP", None)
        before = None if hangs_up is None else signal.signal(hangs_up, self.handle_exit)
        try:
            with super().capture_signals():
                yield
        finally:
            if hangs_up is not None:
                signal.signal(hangs_up, before)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What a signal to end does; uvicorn would raise it again in the end."""
        if self._ending is not None:
            self._service.hurried = True
            return
        loop = asyncio.get_running_loop()
        self._ending = loop.create_task(self._end())
        loop.call_soon_threadsafe(lambda: None)  # it may sleep

    async def _end(self) -> None:
        try:
            await self._service.drain()
        finally:
            self.should_exit = True


def _open_more_files() -> None:
    """Lets this process open as many files as its connections need, where the system has a say in it."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted: Any = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
