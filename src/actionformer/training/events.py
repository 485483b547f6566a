"""Events for TensorBoard, written as they come: a thread that fails behind a run must not decide how it ends."""

from __future__ import annotations

import io
import os
import platform
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from actionformer.core.errors import warn


class Events:
    """An event file, if TensorBoard is installed; one that cannot be written is said once, and training goes on.

    Args:
        directory: where it is made.
        purge_step: steps from here on that earlier files have are not shown any more.
    """

    def __init__(self, directory: Path, *, purge_step: int) -> None:
        self.path = directory / f"events.out.tfevents.{time.time():.6f}.{platform.node()}.{os.getpid()}"
        self._file: io.FileIO | None = None
        if find_spec("tensorboard") is None:
            return
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb", buffering=0)
        except OSError as error:
            self._give_up(error)
        self._add(file_version="brain.Event:2")
        if purge_step:
            self._add(step=purge_step, session_log={"status": 1})  # START

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Figures of a step, by name."""
        self._add(step=step, summary={"value": [{"tag": tag, "simple_value": value} for tag, value in values.items()]})

    def close(self) -> None:
        """Nothing more is added."""
        if self._file is not None:
            self._file.close()

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
        self.close()
        self._file = None
        reason = error.strerror or error
        warn(f"{self.path}: cannot write ({reason}): training goes on without TensorBoard", stacklevel=2)
