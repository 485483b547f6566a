"""Networks in .tflite files, run by LiteRT (`ai-edge-litert`, extra `features`) on the CPU."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, missing_extra
from actionformer.core.terminal import unheard


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
        with unheard(), warnings.catch_warnings():  # it tells which kernels it chose; what fails is an exception too
            warnings.filterwarnings("ignore", ".*experimental_preserve_all_tensors", UserWarning)  # they are few
            made = Interpreter(model_path=str(path), num_threads=1, experimental_preserve_all_tensors=inner)
            made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a network that LiteRT can run ({str(error).strip():.200})") from error
    return made


def value(interpreter: Any, tensor: dict[str, Any]) -> NDArray[np.float32]:
    """What a tensor of the last run holds, as numbers of their own scale: quantised ones are (q - zero) * scale.

    Args:
        interpreter: that ran the network.
        tensor: one of its details.
    """
    found: NDArray[np.float32] = interpreter.get_tensor(tensor["index"]).astype(np.float32)
    scale, zero = tensor["quantization"]
    return (found - np.float32(zero)) * np.float32(scale) if scale else found
