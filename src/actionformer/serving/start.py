"""The server of detection, from a model directory on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rich.console import Console

from actionformer.core.devices import Precision
from actionformer.core.errors import InputError, missing_extra
from actionformer.core.terminal import plain_console
from actionformer.serving.allowed import Allowed
from actionformer.serving.limits import Limits
from actionformer.settings.config import Changes

NEEDED = ("fastapi", "uvicorn", "prometheus_client")
TOKEN = "ACTIONFORMER_TOKEN"
"""The environment variable that holds the token: the options of a program can be seen by others."""


def serve(
    run: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    allow: Sequence[str] = (),
    queue: int = 64,
    jobs: int = 1000,
    live: int = 2,
    workers: int = 2,
    batch_size: int = 8,
    max_mib: float = 512,
    max_seconds: float = 14400,
    max_pixels: int = 9437184,
    max_memory: float = 2048,
    max_time: float = 600,
    patience: float = 10,
    keep: float = 3600,
    grace: float = 30,
    backbone: str | None = None,
    weights: str | Path | Sequence[str | Path] = (),
    other_timing: bool = False,
    device: str = "cpu",
    precision: Precision = "float32",
    engine: Literal["onnxruntime", "openvino", "compile"] | None = None,
    settings: Changes | None = None,
    console: Console | None = None,
) -> None:
    """Answers requests over HTTP with the actions in recordings, features and live sources, until it is stopped.

    SIGTERM and Ctrl-C end it in order: it takes nothing new, hands back what waits, and finishes what runs. A second
    one ends it at once.

    Args:
        run: a model directory.
        host: the address to listen at. Any other than 127.0.0.1 opens the server to other machines that have the token.
        port: the port to listen at; 0 takes a free one.
        token: what requests have to show; by default the environment variable ACTIONFORMER_TOKEN, else one is made
            where other machines reach the server.
        allow: addresses that the server fetches or follows, all that begin so, such as https://media.example.org/ or
            rtsp://camera/; paths of cameras and files are for live sources. By default none.
        queue: requests that are held at once; more are told to come again.
        jobs: jobs that are remembered.
        live: live sources that are followed at once.
        workers: processes that read what is sent; recordings become features there.
        batch_size: most recordings of like length that the network computes together; a GPU may take more.
        max_mib: the largest file that is taken, MiB.
        max_seconds: the longest recording that is taken.
        max_pixels: the largest pictures of a video that are taken.
        max_memory: MiB that a process may take to read one file, beyond what it holds before; only Linux heeds it. Also
            the most that features may fill as plain numbers.
        max_time: seconds from the end of an upload to its answer, and for the upload itself.
        patience: seconds without anything new after which a client, an address or a live source is given up.
        keep: seconds for which the result of a job is kept.
        grace: seconds in which a server that is told to end finishes what runs.
        backbone: what turns recordings into features; by default what the model was trained on, and nothing else fits.
        weights: files of the backbone, or their folder.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
        device: where to compute: cpu, cuda, cuda:1, ...
        precision: number format of the arithmetic, also the backbone's.
        engine: another program that computes the network, with the same results: onnxruntime or openvino, on the CPU in
            float32, or compile (torch's compiler). It is made before requests are taken, in seconds to minutes.
            Sequences of more than 4,096 features and live sources have the network itself.
        settings: of decoding, suppression and fusion, where they are not to be the run's.
        console: where the address is told; by default standard error.

    Raises:
        InputError: no model directory, an address or a limit that cannot be, or the extra `serve` is not installed.
    """
    for package in NEEDED:
        if find_spec(package) is None:
            raise missing_extra(package, "serve", "the server")
    from actionformer.serving.server import run_server
    from actionformer.serving.service import Service
    from actionformer.serving.setup import setup_of
    from actionformer.web import address_of, listening, token_for

    limits = Limits(
        queue=queue,
        jobs=jobs,
        live=live,
        max_mib=max_mib,
        max_seconds=max_seconds,
        max_pixels=max_pixels,
        max_memory=max_memory,
        max_time=max_time,
        patience=patience,
        keep=keep,
        grace=grace,
    )
    if workers < 1 or batch_size < 1:
        raise InputError(f"workers and batch_size must be 1 or more, found {workers} and {batch_size}")
    Allowed(allow)
    shown = token or os.environ.get(TOKEN) or None
    needed = token_for(host, shown, "the server")
    with tempfile.TemporaryDirectory(prefix="actionformer-") as folder:
        setup = setup_of(
            run,
            limits,
            Path(folder),
            allow=allow,
            workers=workers,
            batch_size=batch_size,
            backbone=backbone,
            weights=weights,
            other_timing=other_timing,
            device=device,
            precision=precision,
            engine=engine,
            settings=settings,
        )
        with listening(host, port) as listener:
            made = "" if needed == shown else f", with the token {needed}"
            greeting = f"server: {address_of(host, listener)}{made}"
            run_server(Service(setup), listener, needed, greeting=greeting, console=console or plain_console())
