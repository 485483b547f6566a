"""What the servers of the page and of detection have in common: where they listen, who may ask, errors as words."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Callable
from ipaddress import ip_address

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from actionformer.core.errors import InputError

EVERYWHERE = ("", "0.0.0.0", "::")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Raises:
        InputError: the address cannot be used.
    """
    if not 0 <= port < 1 << 16:
        raise InputError(f"port {port}: expected 0 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(f"cannot listen at {host}, port {port}: {error.strerror or error}") from error


def address_of(host: str, listener: socket.socket) -> str:
    """What to open on this machine; where all its addresses are listened at, others put one of them for the name."""
    name = "localhost" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}/"


def token_for(host: str, token: str | None, server: str) -> str | None:
    """The token that requests have to show: as given, else one that is made where other machines reach the server.

    Raises:
        InputError: letters that addresses and headers cannot hold as they are.
    """
    if token is not None and not re.fullmatch(r"[\w.~-]+", token, re.ASCII):
        raise InputError(
            f"a token consists of letters, digits and -._~; if none is given, {server} makes one where it needs one"
        )
    return secrets.token_urlsafe(24) if token is None and not is_local(host) else token


def is_same(shown: str, token: str) -> bool:
    """Whether two are equal, in a time that tells nothing."""
    return secrets.compare_digest(shown.encode(), token.encode())


def is_local(name: str) -> bool:
    """Whether a host is this machine, and no other machine reaches it under that name."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"


def name_of(host: str) -> str:
    """The host of `host:port`, without the brackets of IPv6; what is neither stays as it is."""
    found = re.fullmatch(r"(?:\[([^]]*)\]|([^:]*))(?::\d*)?", host)
    return (found[1] or found[2] or "") if found else host


def is_foreign_name(headers: Headers) -> bool:
    """Whether this machine is asked under a name that a foreign page has bound to its address."""
    return not is_local(name_of(headers.get("host", "")))


def is_of_another_page(headers: Headers) -> bool:
    """Whether a browser asks for a page of another origin."""
    origin = headers.get("origin")
    other = origin is not None and origin.partition("://")[2] != headers.get("host", "")
    return other or headers.get("sec-fetch-site") in ("cross-site", "same-site")


def error_response(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    """An error as words for the user: `{"error": "..."}`."""
    return JSONResponse({"error": words}, status, headers)


def speak_of_errors(app: FastAPI, status_of: Callable[[Exception], int], failed: str) -> None:
    """Lets an application answer every error with words.

    Args:
        app: the application.
        status_of: the status of an InputError.
        failed: what is said of an error of the server's own, before what it was.
    """

    def refused(_: Request, error: Exception) -> Response:
        return error_response(status_of(error), str(error))

    def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = [] if first["type"] == "json_invalid" else first["loc"][1:]
        said = "is not known here: leave it out" if first["type"] == "extra_forbidden" else first["msg"]
        return error_response(422, ": ".join([".".join(map(str, place)), said]).removeprefix(": "))

    def unknown(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return error_response(error.status_code, str(error.detail), dict(error.headers or {}))

    def broken(_: Request, error: Exception) -> Response:
        return error_response(500, f"{failed} ({error!r})")

    app.add_exception_handler(Exception, broken)
    app.add_exception_handler(InputError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, unknown)
