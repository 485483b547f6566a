"""The page of a server in a thread, in a real headless Chromium."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from actionformer.viewer.application import application
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.project import Project
from actionformer.viewer.start import services_for

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The first has no windows, and takes a quarter less of the processor."""
NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium here: install Debian's package `chromium-headless-shell`"
)
Open = Callable[..., Page]
expect.set_options(timeout=20_000)  # a busy machine is no failure


@contextmanager
def serving(given: ViewerOptions | Project) -> Iterator[str]:
    """The address of a server about what was given, in a thread of its own."""
    services = services_for(given if isinstance(given, Project) else open_project(given))
    listener = socket.create_server(("127.0.0.1", 0))
    settings = uvicorn.Config(application(services), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(settings)  # a browser that stays may leave an answer half read
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        services.close()


def until(page: Page, expression: str, arg: Any = None, seconds: float = 20.0) -> None:
    """Waits for an expression to hold. (The page forbids what Playwright does for that.)"""
    last = time.monotonic() + seconds
    while not page.evaluate(expression, arg):
        assert time.monotonic() < last, f"not within {seconds} s: {expression}"
        page.wait_for_timeout(20)


def ready(page: Page) -> Page:
    until(page, "performance.getEntriesByName('interactive').length > 0")
    return page


def labelling(page: Page) -> Page:
    """The page once a video can be labelled on it."""
    ready(page)
    until(page, "async () => (await import('/static/state.js')).state.editing")
    return page


def state(page: Page, what: str, module: str = "/static/state.js") -> Any:
    """An expression about the page's own state `s`."""
    return page.evaluate(f"async () => {{ const s = (await import('{module}')).state; return {what}; }}")


def main_thread(page: Page) -> Callable[[], float]:
    """Seconds of processor time that the page's main thread has used since it was loaded."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def used() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    return used
