"""What a stopped run is continued from: `resume/state.pt`, replaced whole after every epoch."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from actionformer.core.errors import InputError
from actionformer.core.files import write_whole
from actionformer.core.run_files import RESUME, STATE
from actionformer.weights import check_archive, unreadable


def state_path(run: Path) -> Path:
    """Where the state of a run is."""
    return run / RESUME / STATE


def write_state(run: Path, state: dict[str, Any]) -> None:
    """Writes the state of a run, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    buffer = io.BytesIO()  # torch.save to a file says nothing clear of a full disk
    torch.save(state, buffer)
    write_whole(state_path(run), buffer.getvalue())


def read_state(run: Path) -> dict[str, Any] | None:
    """The state of a run, or None before its first epoch ended.

    Raises:
        InputError: a file that is no such state.
    """
    path = state_path(run)
    if not path.is_file():
        return None
    try:
        check_archive(path)
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(f"{path}: cannot be read ({unreadable(error)}); --overwrite starts again") from error
    known = isinstance(state, dict) and {"epoch", "best", "trainer"} <= state.keys()
    if not known or type(state["epoch"]) is not int or type(state["best"]) is not float:
        raise InputError(f"{path}: not the state of a run; --overwrite starts again")
    return state
