"""Who may ask the server, and how much: its own page, at its own address, with the token where there is one."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actionformer.web import error_response, is_foreign_name, is_of_another_page, is_same

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
MOST_BODY = 8 << 20
"""Bytes that a request may send: more than as many actions as can be corrected at once."""
TOO_LARGE = f"too much was sent at once: send at most {MOST_BODY >> 20} MiB"


class Guard:
    """Lets requests through to an application, or answers them with words.

    - Without a token the server speaks to this machine alone, and only under its names: a foreign page whose name was
      bound to 127.0.0.1 asks under that name and is refused.
    - With a token every request shows it, as a query or as the cookie that the first such request is given.
    - Whatever a browser asks is asked by the server's own page; links of other pages lead to the page alone.
    - A body of more than `MOST_BODY` bytes is refused before it is read, or once so much of it has come.

    Args:
        application: what answers.
        token: None on an address of this machine.
    """

    def __init__(self, application: ASGIApp, token: str | None) -> None:
        self.application = application
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._refusal(scope) or self._welcome(scope)
        await (answer or self.application)(scope, _limited(receive), send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if self.token is None and is_foreign_name(headers):
            return error_response(421, "this server answers at 127.0.0.1 and localhost only")
        if scope["path"] != "/" and is_of_another_page(headers):
            return error_response(403, "requests from pages of another origin are refused")
        if self.token is not None and not any(is_same(shown, self.token) for shown in _shown(scope)):
            return error_response(401, "the token is missing or wrong: open the address that the viewer printed")
        stated = headers.get("content-length", "")
        return error_response(413, TOO_LARGE) if stated.isdecimal() and int(stated[:20]) > MOST_BODY else None

    def _welcome(self, scope: Scope) -> Response | None:
        """Where the address shows the token: the page without it, and the cookie."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if self.token is None or scope["path"] != "/" or "token" not in query:
            return None
        del query["token"]
        rest = urlencode(query, doseq=True)
        answer = RedirectResponse("/" + (f"?{rest}" if rest else ""), 303)
        answer.set_cookie(cookie_of(scope), self.token, httponly=True, samesite="strict")
        return answer


def _limited(receive: Receive) -> Receive:
    """The same messages; an error once their bodies are more than may be sent: not every body states its length."""
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_BODY:
            raise HTTPException(413, TOO_LARGE)  # who reads the body raises it again
        return message

    return limited


def cookie_of(scope: Scope) -> str:
    """The name of a server's cookie: ports share their cookies, so that it says which port it is for."""
    return f"actionformer-view-{scope['server'][1]}"


def _shown(scope: Scope) -> list[str]:
    """Tokens that a request shows."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))  # those of other servers of this host among them
    return [*query.get("token", []), *(cookies[name] for name in (cookie_of(scope),) if name in cookies)]
