"""The server of the page: where it listens, how it is opened, and how it ends."""

from __future__ import annotations

import os
import webbrowser
from threading import Timer
from types import FrameType
from urllib.parse import urlencode

import uvicorn
from rich.console import Console

from actionformer.core.terminal import say
from actionformer.viewer.application import application
from actionformer.viewer.services import Services
from actionformer.web import address_of, listening, token_for


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
    token = token_for(host, token, "the viewer")
    app = application(services, token)
    with listening(host, port) as listener:
        address = address_of(host, listener) + (f"?{urlencode({'token': token})}" if token else "")
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
