"""Events for TensorBoard, written as they come: a thread that fails behind a run must not decide how it ends."""

from __future__ import annotations

import io
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actionformer.core.errors import warn
from actionformer.core.run_files import EVENTS
from actionformer.training.loggers.base import named


class TensorBoard:
    """An event file in the run; one that cannot be written is said once, and training goes on."""

    def __init__(self) -> None:
        self.path = Path()
        self._file: io.FileIO | None = None

    def start(self, run: Path, settings: Mapping[str, Any], *, first_epoch: int, steps_per_epoch: int) -> None:
        """Opens the file; steps that come again, which earlier files have too, are not shown twice."""
        folder = run / EVENTS
        self.path = folder / f"events.out.tfevents.{time.time():.6f}.{platform.node()}.{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb", buffering=0)
        except OSError as error:
            self._give_up(error)
        self._add(file_version="brain.Event:2")
        if first_epoch:
            again = first_epoch * steps_per_epoch + 1  # the first that comes again: steps count from 1
            self._add(step=again, session_log={"status": 1})  # START

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Writes `step/loss` and the others."""
        self._scalars(step, named("step", metrics))

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Writes `epoch/loss` and the others, of the number of the epoch."""
        self._scalars(epoch, named("epoch", metrics))

    def finish(self, *, failed: bool) -> None:
        """Nothing more is added."""
        if self._file is not None:
            self._file.close()

    def _scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._add(step=step, summary={"value": [{"tag": tag, "simple_value": value} for tag, value in values.items()]})

    def _add(self, **fields: Any) -> None:
        if self._file is None:
            return
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        try:
            RecordWriter(self._file).write(Event(wall_time=time.time(), **fields).SerializeToString())
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.finish(failed=True)
        self._file = None
        reason = error.strerror or error
        warn(f"{self.path}: cannot write ({reason}): training goes on without TensorBoard", stacklevel=2)
