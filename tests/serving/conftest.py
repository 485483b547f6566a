from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from actionformer.serving.application import application
from actionformer.serving.limits import Limits
from actionformer.serving.service import Service
from actionformer.serving.setup import Setup, setup_of

LIMITS = Limits(
    queue=8,
    jobs=4,
    live=1,
    max_mib=4,
    max_seconds=200,
    max_pixels=1 << 20,
    max_memory=512,
    max_time=60,
    patience=5,
    keep=60,
    grace=5,
)


def made(run: Path, folder: Path, limits: Limits = LIMITS, **given: Any) -> Setup:
    usual = {
        "allow": (),
        "workers": 1,
        "batch_size": 4,
        "backbone": None,
        "weights": (),
        "other_timing": False,
        "device": "cpu",
        "precision": "float32",
        "engine": None,
        "settings": None,
    }
    return setup_of(run, limits, folder, **(usual | given))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def limits() -> Limits:
    return LIMITS


@pytest.fixture(scope="session")
def setup() -> Callable[..., Setup]:
    """What a service is made of, with small limits."""
    return made


@pytest.fixture(scope="module")
def service(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Service:
    return Service(made(trained, tmp_path_factory.mktemp("sent")))


@pytest.fixture(scope="module")
def asked(service: Service) -> Iterator[TestClient]:
    """Asks a server in this process, which takes features."""
    with TestClient(application(service), base_url="http://127.0.0.1") as client:
        yield client
