"""Models on huggingface.co: the folder on this machine that `hf://USER/MODEL` stands for."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from actionformer.core.errors import InputError, missing_extra, reason_of
from actionformer.core.run_files import CARD, CLASSIFIER, CONFIG, PROPOSER, WEIGHTS

SCHEME = "hf:/"
"""What addresses begin with: a `Path` makes one slash of two."""
_FORM = re.compile(r"hf:/{1,2}(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^@\s]+))?")
_OTHER = re.compile(r"([a-z][a-z0-9+]+):/+(.*)")
_NAMES = (CONFIG, WEIGHTS, CARD, CLASSIFIER)
FETCHED = (*_NAMES, *(f"{PROPOSER}/{name}" for name in _NAMES), *(f"{PROPOSER}/*/{name}" for name in _NAMES))
"""The files of a model directory, as patterns: nothing else is fetched."""


def is_address(given: str | Path) -> bool:
    """Whether a model is named by its address on the hub, and not by its folder."""
    return f"{given}/".startswith(SCHEME)


def model_folder(given: str | Path) -> Path:
    """The folder of a model that a person gave: a folder, or `hf://USER/MODEL` or `hf://USER/MODEL@REVISION`.

    What an address stands for is fetched into the cache of huggingface_hub, unless it is there. A cached model is taken
    where the hub cannot be reached or `HF_HUB_OFFLINE` is set.

    Args:
        given: what the person gave; a revision is a branch, a tag or a commit.

    Raises:
        InputError: no address of that form, no such model or revision, none that this account may read, or one that is
            neither cached nor to be had; says what to do.
    """
    if not is_address(given):
        if other := _OTHER.match(str(given)):
            raise InputError(
                f"{other[1]}://{other[2]}: expected a folder or hf://USER/MODEL; copy the model here first"
            )
        return Path(given)
    found = _FORM.fullmatch(str(given))
    if found is None:
        said = f"hf://{str(given).removeprefix('hf:').lstrip('/')}"  # a Path has lost a slash
        raise InputError(f"{said}: expected hf://USER/MODEL or hf://USER/MODEL@REVISION")
    repository, revision = found["repository"], found["revision"]
    hub = library("a model of huggingface.co")
    with explaining_errors(f"hf://{repository}" + (f"@{revision}" if revision else "")), bars_on_terminals():
        return Path(hub.snapshot_download(repository, revision=revision, allow_patterns=list(FETCHED)))


def library(purpose: str) -> ModuleType:
    """huggingface_hub, imported when it is needed.

    Raises:
        InputError: it is not installed.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise missing_extra("huggingface_hub", "hub", purpose) from error
    return huggingface_hub


@contextmanager
def explaining_errors(what: str) -> Iterator[None]:
    """Turns what the hub's library raises into an InputError that says what to do.

    Args:
        what: the address that is spoken of.
    """
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise InputError(
            f"{what}: its owner asks readers to accept conditions: open its page on huggingface.co, accept them, then "
            "run `hf auth login`"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(
            f"{what}: no such model, or a private one: check the name; `hf auth login` lets this machine read what is "
            "private"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{what}: the model has no such revision: without @REVISION it is the newest") from error
    except errors.LocalEntryNotFoundError as error:
        raise InputError(
            f"{what}: is not in the cache, and the hub cannot be reached: check the network, or unset HF_HUB_OFFLINE "
            "if that is set"
        ) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise InputError(
                f"{what}: the hub refuses this account ({status}): run `hf auth login` with a token that may do this"
            ) from error
        raise InputError(f"{what}: the hub answered {status} ({reason_of(error)}): try again later") from error
    except InputError:
        raise
    except ValueError as error:  # a name that cannot be, or a card that the hub refuses
        raise InputError(f"{what}: {reason_of(error)}") from error
    except Exception as error:  # of the library, of its network library, of the system
        first: BaseException = error
        while first.__cause__ is not None:
            first = first.__cause__
        raise InputError(f"{what}: the hub cannot be used ({reason_of(first)}): check the network") from error


@contextmanager
def bars_on_terminals() -> Iterator[None]:
    """Within it the hub's library shows bars where standard error is a terminal, and none in logs."""
    utils: Any = import_module("huggingface_hub.utils")
    if sys.stderr.isatty() or utils.are_progress_bars_disabled():
        yield
        return
    utils.disable_progress_bars()
    try:
        yield
    finally:
        utils.enable_progress_bars()
