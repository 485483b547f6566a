"""The run directory before training: new, to be continued, or to be replaced.

It is checked before the data are read and touched only when nothing more can be refused.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from actionformer.config import Config, load_config
from actionformer.errors import InputError
from actionformer.files import DETECTIONS, METRICS
from actionformer.model_directory import CARD, CONFIG, WEIGHTS, ModelCard, load_settings
from actionformer.recipes.evaluate import REPORT

BEST, RESUME, EVENTS = "best", "resume", "events"
RUN = (CONFIG, WEIGHTS, CARD, METRICS, DETECTIONS, REPORT, BEST, RESUME, EVENTS)
"""What a run writes, and all that `--overwrite` removes."""


def check_unoccupied(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Checks that a run may be written or continued there.

    Raises:
        InputError: something is there and neither `resume` nor `overwrite` is given, or it is no run.
    """
    if resume and overwrite:
        raise InputError("--resume continues a run, --overwrite removes it: give one of them")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out.is_dir() and _is_run(out)):
        raise InputError(f"{out}: is not a run directory, it is left alone; choose another")
    if not (resume or overwrite):
        raise InputError(f"{out}: already exists; --resume continues that run, --overwrite starts again")


def check_same(out: Path, config: Config, card: ModelCard) -> None:
    """Checks that a run to be resumed had these settings, classes and training data.

    Raises:
        InputError: names the first difference.
    """
    if (out / CONFIG).is_file():
        _same_settings(load_config(out), config, out)
    if (out / CARD).is_file():
        before = load_settings(out)[1]
        if before.class_names != card.class_names:
            raise InputError(f"{out}: was trained on other classes: a run resumes as it was")
        for name in ("videos", "actions"):
            then, now = before.training.get(name), card.training[name]
            if then != now:
                raise InputError(f"{out}: was trained on {then} {name}, now {now}: a run resumes as it was")


def make(out: Path, *, overwrite: bool) -> None:
    """Makes the run directory, with `overwrite` without the run in it; what cut writes left behind is removed.

    Raises:
        InputError: it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path in [*out.rglob(".*.part"), *(out / name for name in RUN if overwrite)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made ({error.strerror})") from error


def _is_run(directory: Path) -> bool:
    begun = any(directory.glob(".*.part"))  # killed while it wrote its first file
    return begun or any((directory / name).exists() for name in (CARD, METRICS, RESUME, EVENTS))


def _same_settings(before: Config, now: Config, out: Path) -> None:
    for section, settings in before:
        for name, value in settings.model_dump().items():
            given = getattr(getattr(now, section), name)
            if given != value and (section, name) != ("training", "workers"):
                raise InputError(
                    f"{out}: was trained with {section}.{name} {value}, now {given}: a run resumes as it was"
                )
