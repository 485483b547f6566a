"""Weights & Biases: a run of its own per run directory; WANDB_PROJECT, WANDB_MODE and the others mean what they do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

from actionformer.core.errors import InputError, reason_of
from actionformer.core.run_files import EVENTS
from actionformer.training.loggers.base import keep_identity, kept_identity, named

PROJECT = "actionformer"
"""Where WANDB_PROJECT names none."""
ADVICE = "run `wandb login`, or set WANDB_MODE=offline"
IDENTITY = "wandb.json"
"""Which run it is, in the run's folder of events."""


class WeightsAndBiases:
    """Settings as the run's config, figures by step. A resumed run goes on in the same run of Weights & Biases."""

    def check(self) -> None:
        """Looks whether anybody is logged in, where figures go over the network.

        Raises:
            InputError: nobody is.
        """
        import wandb

        online = os.environ.get("WANDB_MODE", "online") == "online"
        if online and getattr(getattr(wandb, "api", None), "api_key", "not told") is None:
            raise InputError(f"Weights & Biases cannot be used (nobody is logged in): {ADVICE}")

    def start(self, run: Path, settings: Mapping[str, Any], *, first_epoch: int, steps_per_epoch: int) -> None:
        """Makes a run there, or goes on with that of the run directory.

        Raises:
            InputError: it cannot be made: nobody is logged in, or there is no network.
        """
        import wandb

        self._steps = first_epoch * steps_per_epoch
        folder = run / EVENTS
        before = kept_identity(folder / IDENTITY) if first_epoch else None
        id_ = before or token_hex(4)
        keep_identity(folder / IDENTITY, id_)  # before the run begins, which nobody would end if this failed
        try:
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                id=id_,
                name=run.resolve().name,
                config=dict(settings),
                dir=str(folder),
                resume="allow",
            )
        except Exception as error:  # of the library, of its service, of the network
            raise InputError(f"Weights & Biases cannot be used ({reason_of(error)}): {ADVICE}") from error

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Logs `step/loss` and the others."""
        self._steps = step
        self._run.log(named("step", metrics), step=step)

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Logs `epoch/loss` and the others, beside the last step."""
        self._run.log({**named("epoch", metrics), "epoch": epoch}, step=self._steps)

    def finish(self, *, failed: bool) -> None:
        """Sends what is left."""
        self._run.finish(exit_code=int(failed))
