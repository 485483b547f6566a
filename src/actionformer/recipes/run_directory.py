"""The run directory before training: new, to be continued, or to be replaced."""

from __future__ import annotations

import shutil
from pathlib import Path

from actionformer.config import Config, load_config
from actionformer.errors import InputError
from actionformer.model_directory import CARD
from actionformer.training.journal import METRICS


def prepare(out: Path, config: Config, *, resume: bool, overwrite: bool) -> None:
    """Makes the run directory, or checks that the one there may be used.

    Raises:
        InputError: something is there and neither `resume` nor `overwrite` is given, it is no run, or a run to be
            resumed had other settings.
    """
    occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if occupied and not (resume or overwrite):
        raise InputError(f"{out}: already exists; --resume continues that run, --overwrite starts again")
    if occupied and not (out.is_dir() and _is_run(out)):
        raise InputError(f"{out}: is not a run directory, it is left alone; choose another")
    if occupied and overwrite and not resume:
        shutil.rmtree(out)
    if occupied and resume and (out / "config.toml").is_file():
        _same_settings(load_config(out), config, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made ({error.strerror})") from error


def _is_run(directory: Path) -> bool:
    return any((directory / name).exists() for name in (CARD, METRICS, "resume", "events"))


def _same_settings(before: Config, now: Config, out: Path) -> None:
    for section, settings in before:
        for name, value in settings.model_dump().items():
            given = getattr(getattr(now, section), name)
            if given != value and (section, name) != ("training", "workers"):
                raise InputError(
                    f"{out}: was trained with {section}.{name} {value}, now {given}: a run resumes as it was"
                )
