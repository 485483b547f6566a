"""Weights that authors publish and users fetch: which files, from where, under which licence."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actionformer.core.errors import InputError

FOLDER_VARIABLE = "ACTIONFORMER_WEIGHTS"


@dataclass(frozen=True)
class Published:
    """The weights of one backbone."""

    files: tuple[str, ...]
    """Names, in the order in which `--weights` takes them."""
    source: str
    """Where their authors publish them."""
    licence: str
    """Under which terms."""


def weights_folder() -> Path:
    """Where weights are looked for: $ACTIONFORMER_WEIGHTS, else ~/.cache/actionformer/weights."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path.home() / ".cache" / "actionformer" / "weights")


def find_weights(backbone: str, published: Published, given: Sequence[str | Path] = ()) -> list[Path]:
    """The files of a backbone: those given (a folder stands for the files in it), else those in `weights_folder()`.

    Raises:
        InputError: a file is not there; says which one, who publishes it, its licence and where to put it.
    """
    names = published.files
    paths = [Path(path) for path in given] or [weights_folder()]
    if len(paths) == 1 and (paths[0].is_dir() or not given):
        paths = [paths[0] / name for name in names]
    if len(paths) != len(names):
        raise InputError(f"{backbone}: its weights are {len(names)} files, {', '.join(names)}; {len(paths)} are given")
    if absent := [path for path in paths if not path.is_file()]:
        raise InputError(
            f"{backbone}: no weights at {absent[0]}: get {', '.join(names)} from {published.source} "
            f"(licence: {published.licence}), then put it into {weights_folder()} or give --weights PATH"
        )
    return paths
