"""Which loggers there are: name -> import path. Nothing is imported before somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

from actionformer.core.errors import InputError, missing_extra
from actionformer.core.names import nearest

if TYPE_CHECKING:
    from actionformer.training.loggers.base import Logger

LOGGERS = {
    "tensorboard": "actionformer.training.loggers.tensorboard.TensorBoard",
    "wandb": "actionformer.training.loggers.wandb.WeightsAndBiases",
    "mlflow": "actionformer.training.loggers.mlflow.MLflow",
}
METHODS = ("start", "step", "epoch", "finish")
"""Of every logger."""
LoggerName: TypeAlias = str
"""One of `LOGGERS`."""


def loggers_of(given: Sequence[LoggerName | Logger] | None) -> list[Logger]:
    """The loggers that a call names or brings; where it says nothing TensorBoard, if that is installed.

    Raises:
        InputError: no such logger, one whose package is not installed, or an object that is none.
    """
    if given is None:
        given = ["tensorboard"] if _is_installed("tensorboard") else []
    each: Sequence[LoggerName | Logger] = [given] if isinstance(given, str) else given
    return [_made(one) if isinstance(one, str) else _checked(one) for one in each]


def _checked(given: Logger) -> Logger:
    """An object of somebody's own, before a run is touched for it."""
    if isinstance(given, type):
        raise InputError(f"log: {given.__name__} is a class: give an object of it, {given.__name__}()")
    if missing := [name for name in METHODS if not callable(getattr(given, name, None))]:
        raise InputError(f"log: {type(given).__name__} has no method {missing[0]!r}: see actionformer.Logger")
    return given


def _made(name: str) -> Logger:
    if name not in LOGGERS:
        raise InputError(f"log: no logger {name!r:.60}{nearest(name, list(LOGGERS))}")
    if not _is_installed(name):
        raise _missing(name)
    module, _, kind = LOGGERS[name].rpartition(".")
    made: Logger = getattr(import_module(module), kind)()
    return made


def _is_installed(name: str) -> bool:
    """Whether there is such a package; a folder of its name where Python was started is none."""
    found = find_spec(name)
    return found is not None and found.origin is not None


def _missing(name: str) -> InputError:
    match name:
        case "wandb":
            return missing_extra("wandb", "wandb", "logging to Weights & Biases")
        case "mlflow":
            return missing_extra("mlflow", "mlflow", "logging to MLflow")
        case _:
            return missing_extra("tensorboard", "log", "logging to TensorBoard")
