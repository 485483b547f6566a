"""Results that are kept because they will be asked for again, up to so many bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import Any, TypeVar

Value = TypeVar("Value")
LAST = 0
"""Bytes with which the last result alone is kept."""


def kept(compute: Callable[..., Value], most: int) -> Callable[..., Value]:
    """The same function, which keeps its last results; who asks for what is being computed waits for that.

    Args:
        compute: its arguments can be hashed.
        most: bytes that all together may have; the last one is kept in any case.
    """
    known: dict[tuple[Any, ...], Future[Value]] = {}  # the last that was asked for stands last
    sizes: dict[tuple[Any, ...], int] = {}
    lock = Lock()

    def call(*arguments: Any) -> Value:
        with lock:
            future = known.pop(arguments, None)
            mine = future is None
            known[arguments] = future = future or Future()
        if mine:
            try:
                future.set_result(compute(*arguments))
            except BaseException as error:
                with lock:
                    del known[arguments]
                future.set_exception(error)
            else:
                keep(arguments, bytes_of(future.result()))
        return future.result()

    def keep(arguments: tuple[Any, ...], size: int) -> None:
        with lock:
            sizes[arguments] = size
            excess = sum(sizes.values()) - most
            done = (other for other in list(known) if other in sizes and other != arguments)
            while excess > 0 and (oldest := next(done, None)) is not None:
                excess -= sizes.pop(oldest)
                del known[oldest]

    return call


def bytes_of(value: Any) -> int:
    """About how much memory a value takes: arrays and tensors, and what plain containers and data classes hold."""
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if is_dataclass(value) and not isinstance(value, type):
        return sum(bytes_of(getattr(value, field.name)) for field in fields(value))
    held: list[Any] = []
    if isinstance(value, Mapping):
        held = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        held = list(value)
    return sys.getsizeof(value) + sum(map(bytes_of, held))
