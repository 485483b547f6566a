"""The command line as fixtures call it."""

from collections.abc import Callable
from typing import NamedTuple


class Result(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Result]
Refused = Callable[..., str]
"""Gives the one line of a call that must be refused."""
