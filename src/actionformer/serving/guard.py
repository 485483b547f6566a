"""Who may ask the server of detection: with its token where there is one, and no pages of other origins."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actionformer.serving.metrics import Metrics
from actionformer.web import error_response, is_foreign_name, is_of_another_page, is_same

OPEN = ("/healthz", "/readyz")
"""What who starts and watches servers may ask without the token."""
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
MOST_DISCARDED, DISCARDING = 64 << 20, 1.0
"""Bytes and seconds of a body that are read and thrown away, so that who sends it sees why it is refused."""


class Guard:
    """Lets requests through to an application, or answers them with words; counts and times all of them.

    - Without a token the server speaks to this machine alone, and only under its names.
    - With a token every request but those of `OPEN` shows it: `Authorization: Bearer TOKEN`.
    - What a browser asks for a page of another origin is refused.

    Args:
        application: what answers.
        token: None on an address of this machine.
        metrics: what counts.
    """

    def __init__(self, application: ASGIApp, token: str | None, metrics: Metrics) -> None:
        self.application, self.token, self.metrics = application, token, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        begun, body = time.monotonic(), _Body(receive)
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(HEADERS)
                if status != 408 and "expect" not in Headers(scope=scope):
                    await body.discard_rest()
                if body.more:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        try:
            await (self._refusal(scope) or self.application)(scope, body.receive, send_with_headers)
        finally:
            path = getattr(scope.get("route"), "path", "other")
            self.metrics.requests.labels(path, status or "left").inc()
            self.metrics.seconds.labels(path).observe(time.monotonic() - begun)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if self.token is None and is_foreign_name(headers):
            return error_response(421, "this server answers at 127.0.0.1 and localhost only: ask it there")
        if is_of_another_page(headers):
            return error_response(403, "requests from pages of another origin are refused: ask from a program")
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        shows = self.token is None or (scheme.lower() == "bearer" and is_same(shown.strip(), self.token))
        if shows or scope["path"] in OPEN:
            return None
        words = "the token is missing or wrong: send the header Authorization: Bearer TOKEN"
        return error_response(401, words, {"WWW-Authenticate": "Bearer"})


class _Body:
    """The body of a request as it comes, and whether all of it has."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._discarded = receive, 0
        self.more = True

    async def receive(self) -> Message:
        message = await self._receive()
        self.more = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def discard_rest(self) -> None:
        """Reads what nobody wants, within bounds: a connection that is closed on it is an error to who sends it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARDING):
                while self.more and self._discarded < MOST_DISCARDED:
                    self._discarded += len((await self.receive()).get("body", b""))
