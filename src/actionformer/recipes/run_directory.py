"""The run directory before training: new, to be continued, or to be replaced.

It is checked before the data are read and touched only when nothing more can be refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actionformer.core import ranks
from actionformer.core.errors import InputError, warn
from actionformer.core.files import naming
from actionformer.core.locks import remove_left, sole_writer
from actionformer.core.run_files import (
    CARD,
    EVALUATION,
    EVENTS,
    EXPORTS,
    FEATURES,
    LABELS,
    LOCK,
    METRICS,
    PARTS,
    RESUME,
    RUN,
)
from actionformer.core.words import plural
from actionformer.model_directory import ModelCard, load_settings
from actionformer.settings.config import Config, differences
from actionformer.training.checkpoints import read_state


def check_unoccupied(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Checks that a run may be written or continued there.

    Raises:
        InputError: something is there and neither `resume` nor `overwrite` is given, or it is no run.
    """
    if resume and overwrite:
        raise InputError("--resume continues a run, --overwrite removes it: give one of them")
    if not out.exists() or (out.is_dir() and all(path.name in (LOCK, FEATURES) for path in out.iterdir())):
        return
    if not (out.is_dir() and is_run(out)):
        raise InputError(f"{out}: is not a run directory and is left alone; choose another")
    if not (resume or overwrite):
        raise InputError(f"{out}: already exists; --resume continues that run, --overwrite starts again")


@contextmanager
def own_run(out: Path, *, resume: bool, overwrite: bool) -> Iterator[None]:
    """A run directory that may be written or continued, and that this process alone writes.

    Of several processes that train together the first one does, and the others do not look there.

    Raises:
        InputError: see `check_unoccupied`; another process writes there, or nobody can.
    """
    if not ranks.first():
        yield
        return
    check_unoccupied(out, resume=resume, overwrite=overwrite)
    with sole_writer(out):
        check_unoccupied(out, resume=resume, overwrite=overwrite)  # another one may have ended there meanwhile
        yield


def resumed_state(out: Path, config: Config, card: ModelCard) -> dict[str, Any] | None:
    """What a run continues from, or None before its first epoch ended: then it begins again, as it is told now.

    Raises:
        InputError: the run had other settings, classes or data (names the first difference), or its state is gone.
    """
    state = read_state(out)
    if state is not None:
        check_same(out, config, card)
    elif (out / CARD).is_file() and load_settings(out)[1].training.get("epochs") != 1:  # 1: killed in between
        raise InputError(f"{out}: holds a model, but nothing to continue it from; --overwrite starts again")
    return state


def check_fold(out: Path, held_out: Sequence[str], init_hash: str | None) -> None:
    """Checks that a fold that may have been begun is what it would be now, before anything else is read.

    Raises:
        InputError: it holds out other videos, or began with other weights.
    """
    if (out / CARD).is_file():
        _same_held_out(out, load_settings(out)[1], held_out)
        check_start_of(out, init_hash)


def check_start_of(out: Path, init_hash: str | None) -> None:
    """Checks that a run began with the weights of now: those of a model, or, without a hash, fresh ones.

    Raises:
        InputError: it began with others.
    """
    before = load_settings(out)[1].training.get("init_hash")
    if before != init_hash:
        raise InputError(
            f"{out}: began with {_named(before)}, now {_named(init_hash)}: a run can only resume unchanged"
        )


def _named(init_hash: str | None) -> str:
    return "fresh weights" if init_hash is None else f"weights of a model (--init, {init_hash:.8})"


def _same_held_out(out: Path, before: ModelCard, held_out: Sequence[str]) -> None:
    if before.held_out != tuple(held_out):
        raise InputError(
            f"{out}: was trained with {plural(len(before.held_out), 'other video')} held out: "
            "leave --validation out, or give seed and folds as before"
        )


def check_same(out: Path, config: Config, card: ModelCard) -> None:
    """Checks that a run was begun with the settings, classes and data of now.

    Raises:
        InputError: it was not; names the first difference.
    """
    before_config, before = load_settings(out)
    _same_settings(before_config, config, out)
    if before.found_classes != card.found_classes:
        raise InputError(f"{out}: was trained on other classes: a run can only resume unchanged")
    _same_held_out(out, before, card.held_out)
    for name in ("videos", "actions"):
        then, now = before.training.get(name), card.training[name]
        if then != now:
            raise InputError(f"{out}: was trained on {then} {name}, now {now}: a run can only resume unchanged")
    for name in ("annotations", "features"):
        then, now = before.training.get(f"{name}_hash"), card.training[f"{name}_hash"]
        if then is None:
            warn(f"{out}: does not say what its {name} were: only their number is compared", stacklevel=5)
        elif then != now:
            raise InputError(
                f"{out}: the content of the {name} has changed since: a run can only resume unchanged; "
                "--overwrite starts again"
            )
    then, now = (one.training.get("proposals_hash") for one in (before, card))
    if then != now:
        raise InputError(
            f"{out}: was trained on other proposals: a run can only resume unchanged; --overwrite starts again"
        )


def check_elsewhere(out: Path, proposer: Path | None) -> None:
    """Raises an InputError if a model that proposes lies in a run directory that is about to be cleared."""
    if proposer is not None and proposer.resolve().is_relative_to(out.resolve()):
        raise InputError(f"{proposer}: lies in {out}, which is written anew: copy it elsewhere, and give the copy")


def clear(out: Path, *, fresh: bool) -> None:
    """Removes what writers that were killed have left in a run directory, and for a fresh run the one before it.

    What was exported goes in any case: it will be of other weights than the run.

    The state goes first: a kill at any moment leaves nothing that `--resume` could take for the new run's.

    Raises:
        InputError: something cannot be removed.
    """
    try:
        for path in [out / name for name in (RUN if fresh else EXPORTS)]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{out}: the run before cannot be removed ({error.strerror})") from error
    remove_left(list(out.rglob(PARTS)))


def forget_evaluation(directory: Path) -> None:
    """Removes what an evaluation has left of weights that are about to be replaced."""
    with naming(directory):
        for name in EVALUATION:
            (directory / name).unlink(missing_ok=True)


def is_run(directory: Path) -> bool:
    """Whether a training has begun there."""
    begun = any(directory.glob(PARTS))  # killed while it wrote its first file
    return begun or any((directory / name).exists() for name in (CARD, METRICS, RESUME, EVENTS, LABELS))


def _same_settings(before: Config, now: Config, out: Path) -> None:
    for section, name, value, given in differences(before, now):
        if (section, name) != ("training", "workers"):
            raise InputError(
                f"{out}: was trained with {section}.{name} {value}, now {given}: a run can only resume unchanged"
            )
