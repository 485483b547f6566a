"""Where models compute, and in which type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from actionformer.core.errors import InputError

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16", "float16"]
"""Number format of the arithmetic."""
PRECISIONS: tuple[str, ...] = get_args(Precision)


def check_precision(name: str) -> None:
    """Checks the name of a floating-point type that models compute in.

    Raises:
        InputError: it is none of `PRECISIONS`.
    """
    if name not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}, found {name!r}")


def find_device(name: str) -> torch.device:
    """The device of a name.

    Raises:
        InputError: it is not there.
    """
    import torch

    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} cannot be used: {str(error).splitlines()[0]}") from error
    return device
