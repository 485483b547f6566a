"""`actionformer view`: from what was given to a running page."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import current_thread, main_thread

from rich.console import Console

from actionformer.core.errors import missing_extra
from actionformer.viewer.project import Given, open_project

NEEDED = ("fastapi", "uvicorn", "plotly")


def view(
    source: Path,
    *,
    features: tuple[Path, ...] = (),
    videos: Path | None = None,
    annotations: Path | None = None,
    compare: Path | None = None,
    corrections: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    browser: bool = True,
    save: Path | None = None,
    console: Console,
) -> None:
    """Serves the page until it is stopped, or saves it.

    Args:
        source: a run directory or a file of detections.
        features, videos, annotations, compare, corrections: see `Given`.
        host, port, token, browser: see `serve`.
        save: an HTML file that is written in place of serving.
        console: where the address is told.

    Raises:
        InputError: something that was given cannot be used, or the extra `view` is not installed.
    """
    for package in NEEDED:
        if find_spec(package) is None:
            raise missing_extra(package, "view", "the viewer")
    from actionformer.viewer.answers import Answers
    from actionformer.viewer.report import save_report
    from actionformer.viewer.server import serve

    given = Given(source, features, videos, annotations, compare, corrections)
    with _ended_in_order(), ExitStack() as closed:
        answers = Answers(open_project(given))
        closed.callback(answers.media.close)
        if save is not None:
            save_report(answers, save, console)
            return
        serve(answers, host=host, port=port, token=token, browser=browser, console=console)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM and SIGHUP (a terminal that closes), where they would kill, end the program past all that closes.

    The server handles SIGTERM while it runs and raises it again when it has ended; SIGHUP it does not know.
    """

    def end(*_: object) -> None:
        sys.exit(143)

    def hang_up(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    wanted = {"SIGTERM": end, "SIGHUP": hang_up} if current_thread() is main_thread() else {}
    numbers = {getattr(signal, name): react for name, react in wanted.items() if hasattr(signal, name)}
    ours = {number: react for number, react in numbers.items() if signal.getsignal(number) is signal.SIG_DFL}
    for number, react in ours.items():
        signal.signal(number, react)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
