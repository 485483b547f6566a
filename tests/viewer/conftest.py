import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import CHROMIUM, Open, ready, serving
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from starlette.testclient import TestClient

from actionformer.core.calibration import Calibration, Reliability, ScoreCurve, Threshold
from actionformer.core.detections import Detections
from actionformer.core.errors import untold
from actionformer.formats.detections import read_results, write_results
from actionformer.model_directory import load_settings, replace_card
from actionformer.recipes.evaluate import evaluate
from actionformer.viewer.application import application
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.start import services_for

Client = Callable[..., TestClient]


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory, seen: Path) -> Path:
    """A run on three videos, evaluated; for reading only."""
    run = shutil.copytree(seen / "run", tmp_path_factory.mktemp("evaluated") / "run")
    with untold():  # it has learned from these videos
        evaluate(run)
    return run


@pytest.fixture(scope="session")
def calibrated(tmp_path_factory: pytest.TempPathFactory, evaluated: Path) -> Path:
    """The same with thresholds per class: the first video shows two detections of each."""
    run = shutil.copytree(evaluated, tmp_path_factory.mktemp("calibrated") / "run")
    curve, (first, *_) = ScoreCurve((0.0, 1.0), (0.0, 0.5)), read_results(run / "detections.json").values()
    second = {name: curve.probability(first.of(name).scores)[1] for name in first.class_names}
    classes = {name: Threshold(float(least), 3, 4, 2) for name, least in second.items()}
    none, overall = Reliability((), (), ()), Threshold(0.3, 6, 8, 4)
    measured = Calibration(0.5, ("test",), 3, 6, curve, overall, classes, none, none)
    replace_card(run, replace(load_settings(run)[1], calibration=measured))
    return run


@pytest.fixture
def client() -> Iterator[Client]:
    """Asks a server about what was given, in this process; `token` and `address` are those of the server."""
    opened = ExitStack()

    def open_client(
        source: Path, *, token: str | None = None, address: str = "http://127.0.0.1:8000", **given: Any
    ) -> TestClient:
        services = services_for(open_project(ViewerOptions(source, **given)))
        opened.enter_context(closing(services))
        return opened.enter_context(closing(TestClient(application(services, token), base_url=address)))

    with opened:
        yield open_client


@pytest.fixture
def detections(tmp_path: Path) -> Path:
    """A file of detections, and no run: one is right, one a duplicate, one of another class, one beside it."""
    found = Detections(
        np.array([[1.0, 2.5], [1.0, 2.4], [1.1, 2.5], [4.4, 6.0], [0.0, 0.5]]),
        np.array([0.9, 0.8, 0.7, 0.6, 0.5]),
        np.array([0, 0, 1, 1, 0]),
        ("left", "right"),
    )
    write_results(tmp_path / "found.json", {"clip0": found})
    return tmp_path / "found.json"


@pytest.fixture
def asked(client: Client, evaluated: Path, videos: Path) -> TestClient:
    """A server about a run with features, videos and annotations."""
    return client(evaluated, videos=videos)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens an address in a window of its own; afterwards nothing may have gone wrong or gone outside."""
    wrong: list[str] = []
    contexts = []

    def visit(url: str, *, expected: str | None = None, width: int = 1280, height: int = 800, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()

        def said(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not (expected and expected in message.text):
                wrong.append(f"console: {message.text}")

        def asked(request: Request) -> None:
            if not request.url.startswith((url.split("#")[0].split("?")[0], "data:", "blob:")):
                wrong.append(f"outside: {request.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("request", asked)
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def address(evaluated: Path, videos: Path) -> Iterator[str]:
    """A server about a run with features, videos and annotations."""
    with serving(ViewerOptions(evaluated, videos=videos)) as url:
        yield url


@pytest.fixture
def page(open_page: Open, address: str) -> Page:
    """The page with its first video open."""
    return ready(open_page(address))
