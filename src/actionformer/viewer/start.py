"""`actionformer view`: from what was given to a running page."""

from __future__ import annotations

from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from actionformer.errors import missing_extra
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
    answers = Answers(open_project(given))
    with closing(answers.media):
        if save is not None:
            save_report(answers, save, console)
            return
        serve(answers, host=host, port=port, token=token, browser=browser, console=console)
