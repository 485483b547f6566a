"""Connections that cannot be held for nothing: clients have so many seconds for a request's head and for its answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 1000
CROWDED = "the server has as many connections as it takes: try again in a moment"
NOT_HTTP = (
    "this is no HTTP/1.1 request that the server understands: send one, in whose address what is not ASCII is "
    "percent-encoded"
)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with time-outs, which uvicorn has only between two requests.

    Args:
        seconds: for the head of a request, and for taking what is sent.
        arguments: of uvicorn.
    """

    def __init__(self, *, seconds: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._head, self._taking = (_Timer(self.loop, seconds, self._abort) for _ in range(2))

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._answer_at_once("503 Service Unavailable", CROWDED, "Retry-After: 1\r\n")
        self._head.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all waiting."""
        super().connection_lost(exc)
        self._head.stop()
        self._taking.stop()

    def data_received(self, data: bytes) -> None:
        """Takes a part of a request; its head has a time in which it must come, however slow its parts are."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head.stop()
        elif not self._head.runs and self.timeout_keep_alive_task is None:
            self._head.start()

    def pause_writing(self) -> None:
        """The client does not take what is sent."""
        super().pause_writing()
        self._taking.start()

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._taking.stop()

    def timeout_keep_alive_handler(self) -> None:
        """Closes a connection without a request, whether or not the client has taken the last answer."""
        super().timeout_keep_alive_handler()
        self._taking.start()

    def send_400_response(self, msg: str) -> None:
        """Says that a request is none, in words as of all errors."""
        self._answer_at_once("400 Bad Request", NOT_HTTP)

    def _answer_at_once(self, status: str, words: str, more: str = "") -> None:
        body = json.dumps({"error": words})
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}"
        self.transport.write(f"{head}Connection: close\r\n\r\n{body}".encode())
        self.transport.close()

    def _abort(self) -> None:
        self.transport.abort()


class _Timer:
    """Calls a function so many seconds after it was started, unless it is stopped."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, end: Callable[[], None]) -> None:
        self._loop, self._seconds, self._end = loop, seconds, end
        self._handle: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        """Whether it has been started."""
        return self._handle is not None

    def start(self) -> None:
        """Begins, anew where it runs."""
        self.stop()
        self._handle = self._loop.call_later(self._seconds, self._end)

    def stop(self) -> None:
        """Calls nothing any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
