"""The processes that do one piece of work together, as torchrun starts them: which one this is, what they tell another.

All of them run the same program on the same input. A process that torchrun did not start, or that has not `joined` the
others, is alone: it is the first of one, and nothing here imports torch or waits. An error in one of them is an error
of all: who waits for a process that has ended gets a `ConnectionAbortedError`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from actionformer.core.errors import InputError, untold

if TYPE_CHECKING:
    from torch import Tensor

Item = TypeVar("Item")
PATIENCE = timedelta(days=7)
"""How long a process waits for another: one may make features for days. That one has ended is noticed at once."""
PAUSE = 0.02
"""Seconds between two looks for a process that has not come yet."""


@dataclass(frozen=True)
class _Group:
    number: int
    count: int
    store: Any
    """What all can read and write, as long as these processes live."""
    memory: Any
    """The same, as long as torchrun lives: it outlasts a restart of the processes."""


_joined: list[_Group] = []
"""The group that this process works in; none where it is alone."""
_begun_here: set[str] = set()
"""Work that this process has begun itself."""


def launched() -> int:
    """How many processes torchrun, or what sets the same variables, has started; 0 where it has started none."""
    there = all(name in os.environ for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"))
    return int(os.environ["WORLD_SIZE"]) if there else 0


def leads() -> bool:
    """Whether this process prints what all have done: the first that was started."""
    return launched() == 0 or os.environ["RANK"] == "0"


def number() -> int:
    """Which of the processes this is, from 0 on."""
    return _joined[0].number if _joined else 0


def count() -> int:
    """How many processes work together."""
    return _joined[0].count if _joined else 1


def first() -> bool:
    """Whether this process writes what all have done: the first, and whoever is alone."""
    return number() == 0


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Works together with the other processes that torchrun has started, if it has; only the first one warns.

    Args:
        device: where to compute. Of `cuda` each process takes the card whose number it has on its machine.

    Yields:
        The device of this process.

    Raises:
        InputError: a device that several processes cannot have.
    """
    if _joined or not launched():
        yield device
        return
    own = _own_device(device)
    _joined.append(_met(own))
    with nullcontext() if first() else untold():
        yield own
    _joined.clear()  # not after an error: that ends the process, and with it the connections, which the others notice
    _distributed().destroy_process_group()


def _distributed() -> Any:
    """torch.distributed, which says of half of what it has no type."""
    return import_module("torch.distributed")


def _own_device(device: str) -> str:
    if launched() == 1 or device == "cpu":
        return device
    if device != "cuda":
        raise InputError(f"device {device!r}: several processes compute on cpu or on cuda, where each has its own card")
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"


def _met(device: str) -> _Group:
    dist = _distributed()
    if not dist.is_available() or dist.is_initialized():
        reason = "is in use already" if dist.is_available() else "is not part of this torch"
        raise InputError(f"torch.distributed {reason}: start a single process, without torchrun")
    number, count = int(os.environ["RANK"]), launched()
    memory = next(dist.rendezvous("env://", timeout=timedelta(minutes=10)))[0]
    store = dist.PrefixStore(f"actionformer/{meeting(memory, number, count)}", memory)
    on_cards = device.startswith("cuda")
    if on_cards:
        import_module("torch").cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if on_cards else "gloo"
    dist.init_process_group(backend, store=store, rank=number, world_size=count, timeout=PATIENCE)
    return _Group(number, count, store, memory)


def meeting(memory: Any, number: int, count: int) -> str:
    """Waits for all processes that were started together; returns a name that these alone have.

    torchrun starts all again where one has ended, and what they tell one another must not reach those that are to come.
    Its own count of restarts does not tell them apart: of two hosts only the one whose process failed counts.

    Args:
        memory: a store of torch.distributed that outlasts them.
        number: of this process.
        count: of all.
    """

    def read(key: str) -> str:
        return memory.get(f"actionformer/{key}").decode() if memory.check([f"actionformer/{key}"]) else ""

    def write(key: str, value: str) -> None:
        memory.set(f"actionformer/{key}", value)

    own, name = uuid4().hex, ""
    if number == 0:
        greeted: dict[int, str] = {}
        while missing := [one for one in range(1, count) if not read(f"came/{own}/{one}")]:
            for one in missing:
                there = read(f"there/{one}")  # perhaps of one that has ended: then another comes
                if there != greeted.get(one, ""):
                    greeted[one] = there
                    write(f"invited/{there}", own)
            time.sleep(PAUSE)
        write(f"complete/{own}", "yes")
        return own
    write(f"there/{number}", own)
    while not (name and read(f"complete/{name}")):
        if (invited := read(f"invited/{own}")) != name:  # again, where a first process that ended has invited before
            name = invited
            write(f"came/{name}/{number}", "yes")
        time.sleep(PAUSE)
    return name


def mine(items: Sequence[Item]) -> Sequence[Item]:
    """Those of some items that this process works on: every process has others, and together they have all."""
    return items[number() :: count()]


def from_first(make: Callable[[], Item]) -> Item:
    """What a function gives in the first process, in all of them: the others wait, and do not call it.

    Raises:
        ConnectionAbortedError: another process has ended.
    """
    if count() == 1:
        return make()
    said: list[Any] = [make() if first() else None]
    with _together():
        _distributed().broadcast_object_list(said, src=0)
    made: Item = said[0]
    return made


def gathered(own: Item) -> list[Item]:
    """What all processes have, in their order.

    Raises:
        ConnectionAbortedError: another process has ended.
    """
    if count() == 1:
        return [own]
    every: list[Any] = [None] * count()
    with _together():
        _distributed().all_gather_object(every, own)
    return every


def add_up(numbers: Tensor) -> None:
    """Replaces numbers, on the device of the process, by their sum over all processes: the same bits in each.

    Raises:
        ConnectionAbortedError: another process has ended.
    """
    if count() > 1:
        with _together():
            _distributed().all_reduce(numbers)


@contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ConnectionAbortedError("another process that this one works with has ended") from error


def complains() -> bool:
    """Whether this process says what went wrong: of all that fail the first one that asks, so that it is said once."""
    if count() == 1:
        return leads()
    try:
        return bool(_joined[0].store.add("complaints", 1) == 1)
    except RuntimeError:  # the store was another process's, and that has ended
        return first()


def begin(work: str) -> None:
    """Lets processes that torchrun starts again know that this work was begun by those before them."""
    for group in _joined:
        group.memory.set(f"actionformer/begun/{work}", "")
        _begun_here.add(work)


def begun(work: str) -> bool:
    """Whether torchrun has started the processes again, after they had begun this work; asked by the first process."""
    return work not in _begun_here and any(group.memory.check([f"actionformer/begun/{work}"]) for group in _joined)
