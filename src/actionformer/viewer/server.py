"""The server of the page: where it listens, how it is opened, and how it ends."""

from __future__ import annotations

import os
import re
import secrets
import socket
import webbrowser
from threading import Timer
from types import FrameType
from urllib.parse import urlencode

import uvicorn
from rich.console import Console

from actionformer.core.errors import InputError
from actionformer.core.terminal import say
from actionformer.viewer.application import application
from actionformer.viewer.guard import is_local
from actionformer.viewer.services import Services

EVERYWHERE = ("", "0.0.0.0", "::")


def serve(
    services: Services,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    browser: bool = True,
    console: Console,
) -> None:
    """Answers until it is stopped.

    Args:
        services: what can be asked about the project.
        host: the address to listen at; one that other machines reach needs a token.
        port: 0 takes a free one.
        token: made where one is needed and none is given.
        browser: open the page.
        console: where the address is told.

    Raises:
        InputError: the address cannot be used.
    """
    if token is not None and not re.fullmatch(r"[\w.~-]+", token, re.ASCII):
        raise InputError(
            "a token consists of letters, digits and -._~; if none is given, the viewer makes one where it needs one"
        )
    if token is None and not is_local(host):
        token = secrets.token_urlsafe(24)
    app = application(services, token)
    with _listening(host, port) as listener:
        address = _address(host, listener.getsockname()[1], token)
        say(console, f"viewer: {address}")
        if browser:
            opening = Timer(0.5, webbrowser.open, [address])
            opening.daemon = True
            opening.start()
        settings = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, ws="none", timeout_graceful_shutdown=1
        )
        _Server(settings, services).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends once what is being computed is done; asked a second time, at once."""

    def __init__(self, settings: uvicorn.Config, services: Services) -> None:
        super().__init__(settings)
        self.services = services

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What a signal to end does."""
        if self.should_exit:
            self.services.close()
            os._exit(128 + sig)  # threads that compute cannot be stopped otherwise
        super().handle_exit(sig, frame)


def _address(host: str, port: int, token: str | None) -> str:
    """What to open on this machine; where all its addresses are listened at, others put one of them for the name."""
    name = "localhost" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?{urlencode({'token': token})}" if token else "")


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port < 1 << 16:
        raise InputError(f"port {port}: expected 0 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(f"cannot listen at {host}, port {port}: {error.strerror or error}") from error
