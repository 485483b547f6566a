"""Networks in .tflite files, run by LiteRT (`ai-edge-litert`, extra `features`) on the CPU."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, missing_extra


def interpreter(path: Path, backbone: str, *, inner: bool = False) -> Any:
    """What runs the network of a file, on one thread, with its tensors in place.

    Args:
        path: the file.
        backbone: whose network it is, for messages.
        inner: whether tensors between input and output are to be read too.

    Raises:
        InputError: LiteRT is not installed, or the file holds no network that it can run.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise missing_extra("ai-edge-litert", "features", f"the backbone {backbone}") from error
    try:
        with _without_notes(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*experimental_preserve_all_tensors", UserWarning)  # they are few
            made = Interpreter(model_path=str(path), num_threads=1, experimental_preserve_all_tensors=inner)
            made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a network that LiteRT can run ({str(error).strip():.200})") from error
    return made


@contextmanager
def _without_notes() -> Iterator[None]:
    """LiteRT's library tells on standard error which kernels it chose; what fails is an exception too."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def value(interpreter: Any, tensor: dict[str, Any]) -> NDArray[np.float32]:
    """What a tensor of the last run holds, as numbers of their own scale: quantised ones are (q - zero) * scale.

    Args:
        interpreter: that ran the network.
        tensor: one of its details.
    """
    found: NDArray[np.float32] = interpreter.get_tensor(tensor["index"]).astype(np.float32)
    scale, zero = tensor["quantization"]
    return (found - np.float32(zero)) * np.float32(scale) if scale else found
