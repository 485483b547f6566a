"""`actionformer view`: from what was given to services, and from these to a running page or a saved one."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from rich.console import Console

from actionformer.core.errors import missing_extra
from actionformer.core.files import check_absent
from actionformer.core.terminal import plain_console
from actionformer.hub import is_address, model_folder
from actionformer.viewer.corrections import Corrections
from actionformer.viewer.durations import Durations
from actionformer.viewer.evaluation import Evaluation
from actionformer.viewer.facts import ProjectFacts
from actionformer.viewer.labels import Labels
from actionformer.viewer.memory import LAST, kept
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.playback import Playback
from actionformer.viewer.project import Project, UnavailableError
from actionformer.viewer.services import Services
from actionformer.viewer.videos import VideoAnswers

if TYPE_CHECKING:
    from actionformer.viewer.network import Network

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
    overwrite: bool = False,
    console: Console | None = None,
) -> None:
    """A local web page shows what was detected, what was missed, and why each error happened.

    It has timelines with the video, errors, what the network says, suppression step by step, and corrections.

    Args:
        source: A run directory, a model of huggingface.co (hf://USER/MODEL), or a file of detections (JSON, JSON Lines
            or CSV).
        features: Folders with the run's features; by default those it was trained with.
        videos: A folder of video files, named as the videos are.
        annotations: Ground truth, ActivityNet JSON; by default what the run was trained with.
        compare: A second run or file of detections.
        corrections: Where corrected annotations are written; by default beside SOURCE, of a model of the hub
            in the current folder. The original stays as it is.
        host: The address to listen at. Any other than 127.0.0.1 opens the page to other machines that have the token.
        port: The port to listen at; 0 takes a free one.
        token: What other machines have to show; by default one is made where it is needed.
        browser: Open the page in the browser; otherwise only its address is told.
        save: Write one HTML file that shows all but the videos, without a server and offline, and end.
        overwrite: Replace that file if it exists.
        console: Where the address is told; by default standard error.

    Raises:
        InputError: something that was given cannot be used, or the extra `view` is not installed.
    """
    check_absent([save] if save is not None else [], overwrite=overwrite)
    check_installed()
    from actionformer.viewer.report import save_report
    from actionformer.viewer.server import serve

    console = console or plain_console()
    if is_address(source):
        source, corrections = model_folder(source), corrections or Path("annotations.corrected.json")
    options = ViewerOptions(source, features, videos, annotations, compare, corrections)
    with ended_in_order(), closing(services_for(open_project(options))) as services:
        if save is not None:
            save_report(services, save, console)
        else:
            serve(services, host=host, port=port, token=token, browser=browser, console=console)


def check_installed() -> None:
    """Raises an InputError where what the page needs is not installed."""
    for package in NEEDED:
        if find_spec(package) is None:
            raise missing_extra(package, "view", "the viewer")


def services_for(project: Project) -> Services:
    """Everything that can be asked about a project; close it afterwards."""

    def begin_corrections() -> Corrections:
        project.require("corrections")
        return Corrections(project, durations.of)

    def begin_network() -> Network:
        project.require("features")
        from actionformer.viewer.network import Network  # with torch, which takes seconds to import

        return Network(project)

    def begin_labels() -> Labels:
        if project.labelling is None:
            raise UnavailableError("annotations are corrected here: to label videos start `actionformer label`")
        return Labels(project, project.labelling, playback)

    corrections: Callable[[], Corrections] = kept(begin_corrections, LAST)
    network: Callable[[], Network] = kept(begin_network, LAST)
    labels: Callable[[], Labels] = kept(begin_labels, LAST)
    playback, evaluation = Playback(project), Evaluation(project)
    durations = Durations(project, playback, network)
    return Services(
        project=project,
        facts=ProjectFacts(project, corrections, labels),
        videos=VideoAnswers(project, playback, durations, corrections, network),
        evaluation=evaluation,
        playback=playback,
        corrections=corrections,
        labels=labels,
        network=network,
    )


@contextmanager
def ended_in_order() -> Iterator[None]:
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
