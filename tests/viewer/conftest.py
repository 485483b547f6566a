import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from actionformer.recipes import evaluate_run
from actionformer.viewer.answers import Answers
from actionformer.viewer.project import Given, open_project
from actionformer.viewer.server import application

Client = Callable[..., TestClient]


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory, seen: Path) -> Path:
    """A run on three videos, evaluated; for reading only."""
    run = shutil.copytree(seen / "run", tmp_path_factory.mktemp("evaluated") / "run")
    evaluate_run(run)
    return run


@pytest.fixture
def client() -> Iterator[Client]:
    """Asks a server about what was given, in this process; `token` and `address` are those of the server."""
    opened = ExitStack()

    def open_client(
        source: Path, *, token: str | None = None, address: str = "http://127.0.0.1:8000", **given: Any
    ) -> TestClient:
        answers = Answers(open_project(Given(source, **given)))
        opened.enter_context(closing(answers.media))
        return opened.enter_context(closing(TestClient(application(answers, token), base_url=address)))

    with opened:
        yield open_client


@pytest.fixture
def asked(client: Client, evaluated: Path, videos: Path) -> TestClient:
    """A server about a run with features, videos and annotations."""
    return client(evaluated, videos=videos)
