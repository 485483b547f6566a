"""Files of weights: read without unpickling code, put into networks of exactly their names and shapes."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.core.files import check_compression, check_fetched
from actionformer.core.words import plural

NESTED = ("state_dict", "model_state", "model")
"""Entries of a torch file that hold its weights where it holds more."""


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a file, by name: `.safetensors`, `.npz`, or torch's own formats, without unpickling code.

    Raises:
        InputError: no such file, not one of weights, or one that would run code.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise FileNotFoundError("there is no such file")
        check_fetched(path)
        check_archive(path)
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix == ".npz":
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        content = load_torch(path)
    except InputError:
        raise
    except Exception as error:  # every library has its own ways of refusing a broken file
        raise InputError(f"{path}: not a readable weights file ({unreadable(error)})") from error
    for key in NESTED:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(f"{path}: holds no weights by name: expected a dictionary of tensors")
    return content


def check_archive(path: Path) -> None:
    """Checks that what a zip file says it holds can be in it.

    Raises:
        InputError: it cannot.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            check_compression(path, sum(member.file_size for member in file.filelist))


def load_torch(path: Path) -> Any:
    """The content of a file in torch's own formats; of code, it may hold the options of a training script alone.

    Raises:
        Exception: of any kind, where it is none or holds code; `unreadable` says what it means.
    """
    with torch.serialization.safe_globals([Namespace]), warnings.catch_warnings(action="ignore"):
        return torch.load(path, map_location="cpu", weights_only=True)


def unreadable(error: Exception) -> str:
    """Why a file of weights could not be read, in a few words, without a library's colours and advice."""
    if code := re.search(r"GLOBAL (\S+)", str(error)):
        return f"it holds {code[1]}, which is code and is never run"
    if isinstance(error, pickle.UnpicklingError):
        return "it is of another kind, or damaged"
    text = " ".join(re.sub(r"\x1b\[\d*m", "", str(error)).split())
    return text.partition(". ")[0][:160] or type(error).__name__


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Copies weights into a model of the same names and shapes.

    Raises:
        InputError: names the first weight that is missing, unknown or of another shape.
    """
    own = model.state_dict()
    for kind, names in (("missing", own.keys() - weights.keys()), ("unknown", weights.keys() - own.keys())):
        if names:
            raise InputError(
                f"{source}: {plural(len(names), f'{kind} weight')}, first {min(names)}: another configuration?"
            )
    for name, tensor in own.items():
        found = weights[name]
        if tensor.shape != found.shape:
            raise InputError(f"{source}: {name} is {tuple(found.shape)}, the network has {tuple(tensor.shape)}")
        if found.layout != torch.strided or found.device.type != "cpu" or found.is_complex() or found.is_quantized:
            raise InputError(f"{source}: {name} is of {found.dtype}, {found.layout}, expected plain numbers")
        if not torch.isfinite(found).all():
            raise InputError(f"{source}: {name} has a value that is not a finite number: copy or train it again")
    model.load_state_dict(dict(weights))
