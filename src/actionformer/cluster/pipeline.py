"""Rows on their way through stages on the machines of a cluster, as a stream of Ray Data.

A worker is one actor of each stage, which share one processor. Pools of actors shrink where nothing waits for them, and
grow again to as many as there are workers. Ray Data holds back a stage whose rows nobody takes.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from actionformer.cluster.stages import Row, Stage
from actionformer.core.errors import InputError, missing_extra, reason_of
from actionformer.core.terminal import unheard
from actionformer.core.words import part

LOCAL = "local"
"""The address of a cluster that is started on this machine, and ended with the job."""
SMALL_JOB, MOST_PER_BLOCK = 10_000, 16
"""Videos up to which each is scheduled on its own, and how many together of the largest jobs."""

MOST_DEATHS = 3
"""How many actors of a stage may die as they begin, one after another, until that is an error of the stage."""


@dataclass(frozen=True)
class Step:
    """A stage, and what one actor of it takes of a machine."""

    stage: type[Stage]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    cpus: float = 0.25
    gpus: float = 0.0


@contextmanager
def connected(address: str) -> Iterator[None]:
    """A cluster, while the block runs: the one that this process has joined already, else the one at an address.

    Args:
        address: of its head, such as 10.0.0.1:6379; "auto" for the one that this machine belongs to; "local" for one
            that is started here, on the loopback interface, and ended with the block.

    Raises:
        InputError: Ray is not installed, or there is no cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # no thread that comes too late starts a cluster of its own
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what its processes log stands between our own lines
    if address == LOCAL:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # as on those systems: on loopback alone
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise missing_extra("ray[data]", "cluster", "a cluster") from error
    if ray.is_initialized():
        with redirect_stdout(sys.stderr):  # what Ray tells of its processes is no output
            yield
        return
    more = {"include_dashboard": False} if address == LOCAL else {}
    try:
        with unheard():  # of the level itself
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **more)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"--cluster {address}: no cluster there ({reason_of(error)})") from error
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        ray.shutdown()


@contextmanager
def results_of(
    rows: Sequence[Row], steps: Sequence[Step], *, address: str, workers: int | None = None
) -> Iterator[Iterator[Row]]:
    """What `through` gives of rows on a cluster, which is left to itself in order, however the block ends."""
    with connected(address), closing(through(rows, steps, workers)) as results:
        yield results


def through(rows: Sequence[Row], steps: Sequence[Step], workers: int | None = None) -> Generator[Row, None, None]:
    """Each row once, after all steps, in the order in which they are done.

    Args:
        rows: `video`, `source`, `features` and `state` of each, see `stages`.
        steps: in order.
        workers: most actors of each step; by default as many as the cluster has processors.

    Raises:
        InputError: a process of the cluster could not begin, or the cluster broke down; what is done is done.
    """
    if not rows:
        return
    import pyarrow as pa
    import ray

    there = ray.cluster_resources()
    many = min(1 + len(rows) // SMALL_JOB, MOST_PER_BLOCK)
    names = list(rows[0])
    blocks = [
        pa.table({name: [row[name] for row in rows[first : first + many]] for name in names})
        for first in range(0, len(rows), many)
    ]
    _set_up()
    left = {row["video"] for row in rows}
    try:
        stream = ray.data.from_arrow(blocks)
        for step in steps:
            first, most = actors_of(step, there, workers, len(rows))
            stream = stream.map(
                step.stage,
                fn_constructor_kwargs=dict(step.arguments),
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most, initial_size=first),
                num_cpus=step.cpus,
                num_gpus=step.gpus or None,
            )
        for row in stream.iter_rows():
            if row["video"] in left:  # what ran twice is told once
                left.remove(row["video"])
                yield row
    except ray.exceptions.RayError as error:
        raise InputError(f"the cluster stopped: {_cause(error)}; a second call goes on") from error
    if left:
        raise InputError(
            f"the cluster ended, and {part(len(left), len(rows), 'videos have no result')}: a second call goes on"
        )


def actors_of(step: Step, there: Mapping[str, float], workers: int | None, videos: int) -> tuple[int, int]:
    """How many actors of a step begin, as far as the cluster has room for them, and how many there are at most.

    Args:
        step: the step.
        there: processors (CPU) and GPUs of the cluster.
        workers: most of them; by default one per processor.
        videos: how many there are to do.

    Raises:
        InputError: the step needs a GPU, and there is none; or no worker at all.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers of a cluster must be at least 1, found {workers}")
    room = max(int(there.get("CPU", 1)), 1)
    if step.gpus:
        room = min(room, int(there.get("GPU", 0) / step.gpus))
        if not room:
            raise InputError("--gpus-per-worker: the cluster has no GPU for a worker: leave it out")
    most = min(workers or room, videos)
    return min(room, most), most


def _set_up() -> None:
    """Ray Data replaces actors that are killed as they begin, and writes its lines into its own log alone."""
    from ray.data import DataContext

    context = DataContext.get_current()
    context.max_consecutive_actor_init_deaths = MOST_DEATHS
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)


def _cause(error: BaseException) -> str:
    """The last line of what a process of the cluster says, which is the error itself."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[-1] if lines else type(error).__name__:.500}"
