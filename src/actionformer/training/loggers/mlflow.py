"""MLflow: a run of its own per run directory, on the server or in the folder that MLFLOW_TRACKING_URI names."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError, reason_of
from actionformer.core.run_files import EVENTS
from actionformer.training.loggers.base import keep_identity, kept_identity, named

EXPERIMENT = "actionformer"
"""Where MLFLOW_EXPERIMENT_NAME names none."""
ADVICE = "set MLFLOW_TRACKING_URI to a server, or to a folder with MLFLOW_ALLOW_FILE_STORE=true"
IDENTITY = "mlflow.json"
"""Which run it is, in the run's folder of events."""
MOST_METRICS, MOST_PARAMETERS, LONGEST = 1000, 100, 6000
"""Metrics and parameters of one request, and characters of a parameter, that every server takes."""


class MLflow:
    """Settings as parameters, figures as metrics. A resumed run goes on in the same run of MLflow.

    Figures of steps are sent when an epoch ends, or when they fill a request.
    """

    def __init__(self) -> None:
        self._metrics: list[Any] = []

    def check(self) -> None:
        """Asks MLflow whether it is there.

        Raises:
            InputError: it does not answer.
        """
        from mlflow import MlflowClient

        with _in_words():
            MlflowClient().get_experiment_by_name(EXPERIMENT)

    def start(self, run: Path, settings: Mapping[str, Any], *, first_epoch: int, steps_per_epoch: int) -> None:
        """Makes a run of MLflow, or goes on with that of the run directory.

        Raises:
            InputError: MLflow does not answer, or knows the run no more.
        """
        from mlflow import MlflowClient

        file, self._metrics = run / EVENTS / IDENTITY, []
        before = kept_identity(file) if first_epoch else None
        with _in_words():
            self._client = MlflowClient()
            if before is not None:
                self._id = before
                self._client.update_run(self._id, "RUNNING")
                return
            made = self._client.create_run(self._experiment(), run_name=run.resolve().name)
            self._id = str(made.info.run_id)
            self._log_parameters(settings)
        keep_identity(file, self._id)

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        found = self._client.get_experiment_by_name(name)
        return str(self._client.create_experiment(name) if found is None else found.experiment_id)

    def _log_parameters(self, settings: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        every = [Param(name, f"{value!s:.{LONGEST}}") for name, value in settings.items()]
        for first in range(0, len(every), MOST_PARAMETERS):
            self._client.log_batch(self._id, params=every[first : first + MOST_PARAMETERS])

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Keeps `step/loss` and the others until they are sent."""
        self._add(step, named("step", metrics))

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Sends `epoch/loss` and the others, of the number of the epoch, and all that waits."""
        self._add(epoch, named("epoch", metrics))
        self._send()

    def finish(self, *, failed: bool) -> None:
        """Sends what is left, and says how it ended."""
        try:
            self._send()
        finally:
            self._client.set_terminated(self._id, "FAILED" if failed else "FINISHED")

    def _add(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        if len(self._metrics) + len(values) > MOST_METRICS:
            self._send()
        now = int(1000 * time.time())
        self._metrics += [
            Metric(name.replace("@", "_at_"), value, now, step)  # names of metrics have no @ there
            for name, value in values.items()
            if math.isfinite(value)
        ]

    def _send(self) -> None:
        if self._metrics:
            self._client.log_batch(self._id, metrics=self._metrics)
            self._metrics = []


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # of MLflow, of its network library, of the system
        raise InputError(f"MLflow cannot be used ({reason_of(error)}): {ADVICE}") from error
