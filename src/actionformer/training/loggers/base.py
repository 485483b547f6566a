"""The contract of a logger, and several of them as one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Protocol

from actionformer.core.errors import reason_of, warn
from actionformer.core.files import read_json, write_whole


class Logger(Protocol):
    """Is told how a training goes: `actionformer.train(..., log=[MyLogger()])`.

    mAP are shares from 0 to 1 here. What `start` raises ends the call before the first step; a logger that fails later
    is said once, and training goes on without it.
    """

    def start(self, run: Path, settings: Mapping[str, Any], *, first_epoch: int, steps_per_epoch: int) -> None:
        """Training begins.

        Args:
            run: the run directory. A file in its folder `events` stays until the run is replaced.
            settings: `section.name` -> value.
            first_epoch: the first to come, from 0 on; of a resumed run it is not 0, and what was logged of it and of
                later ones comes again.
            steps_per_epoch: steps in each.
        """

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """So many steps are done, the first being 1: parts of the loss, their sum, gradient norm, rate."""

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch is done, from 0 on: means over its steps, and `map` and `map@<tIoU>` where it was evaluated."""

    def finish(self, *, failed: bool) -> None:
        """Training has ended, or was ended by an error or from outside; or `start` has raised."""


class Loggers:
    """Several loggers as one."""

    def __init__(self, loggers: Iterable[Logger]) -> None:
        self._left = list(loggers)

    def check(self) -> None:
        """Lets those that can tell beforehand whether they will start tell it: a method `check`, which may raise."""
        for one in self._left:
            check: Callable[[], None] = getattr(one, "check", lambda: None)
            check()

    def start(self, run: Path, settings: Mapping[str, Any], *, first_epoch: int, steps_per_epoch: int) -> None:
        """Starts each of them; where one cannot start, it ends as far as it can, and so do those before it."""
        for number, one in enumerate(self._left):
            try:
                one.start(run, settings, first_epoch=first_epoch, steps_per_epoch=steps_per_epoch)
            except BaseException:
                with suppress(Exception):
                    one.finish(failed=True)
                Loggers(self._left[:number]).finish(failed=True)
                raise

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Tells each of them."""
        self._each(lambda one: one.step(step, metrics))

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Tells each of them."""
        self._each(lambda one: one.epoch(epoch, metrics))

    def finish(self, *, failed: bool) -> None:
        """Ends each of them once, whatever becomes of another one."""
        with ExitStack() as ends:
            for one in reversed(self._left):
                ends.callback(_end, one, failed=failed)

    def _each(self, tell: Callable[[Logger], None]) -> None:
        for one in list(self._left):
            try:
                tell(one)
            except Exception as error:  # of a network, of a disk, of somebody's code: a run must not end for it
                self._left.remove(one)
                with suppress(Exception):  # as far as it still can
                    one.finish(failed=True)
                warn(f"{type(one).__name__}: failed ({reason_of(error)}): training goes on without it", stacklevel=4)


def _end(logger: Logger, *, failed: bool) -> None:
    try:
        logger.finish(failed=failed)
    except Exception as error:
        name = type(logger).__name__
        warn(f"{name}: failed at the end ({reason_of(error)}): look whether it has all figures", stacklevel=4)


def named(group: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """Figures as people read them: `step/loss`, and mAP in percent: `map@0.5` -> `epoch/map_percent@0.5`."""

    def shown(name: str, value: float) -> tuple[str, float]:
        if name.startswith("map"):
            return f"{group}/{name.replace('map', 'map_percent', 1)}", 100 * value
        return f"{group}/{name}", value

    return dict(shown(*one) for one in metrics.items())


def keep_identity(file: Path, identity: str) -> None:
    """Keeps which run of a logger's own a run directory has.

    Raises:
        InputError: the file cannot be written.
    """
    write_whole(file, json.dumps({"run_id": identity}) + "\n")


def kept_identity(file: Path) -> str | None:
    """Which run that is; None where nothing was kept.

    Raises:
        InputError: the file cannot be read.
    """
    content = read_json(file) if file.is_file() else None
    found = content.get("run_id") if isinstance(content, dict) else None
    return None if found is None else str(found)
