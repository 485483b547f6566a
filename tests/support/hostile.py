"""What no reader may trip over: values that are put in the place of others, and bytes that are changed."""

import copy
import datetime
import random
from collections.abc import Callable, Iterator
from typing import Any

from actionformer.core.errors import InputError

VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63,
    2**64,
    10**299,
    "@digits@",
    "@over@",
    0.5,
    -0.0,
    5e-324,
    1e308,
    -1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    "",
    " ",
    "x",
    "\x00",
    "\n",
    "[/x]",
    "../../etc/passwd",
    "x" * 100_000,
    "1e400",
    [],
    [[]],
    [None] * 1000,
    {},
    {"": {}},
    [0, 1],
    [1, 0],
    ["a", "a"],
]
"""The hostile list; two of them no program writes, see `literal`."""
MOMENTS = [datetime.date(2026, 1, 1), datetime.datetime(1, 1, 1), datetime.time(0)]
"""What TOML and YAML know as well."""


def literal(text: str) -> str:
    """JSON, TOML or YAML with a number of 5,000 digits, and one beyond all floats, in their places."""
    for quote in ('"', "'", ""):
        text = text.replace(f"{quote}@digits@{quote}", "9" * 5000).replace(f"{quote}@over@{quote}", "1e400")
    return text


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def changed(value: Any, rng: random.Random, values: list[Any] = VALUES) -> Any:
    """A copy in which one thing is another, is gone, or is twice there."""
    value = copy.deepcopy(value)
    container, key = rng.choice(list(places(value)))
    how = rng.random()
    if how < 0.8:
        container[key] = copy.deepcopy(rng.choice(values))
    elif how < 0.9:
        del container[key]
    elif isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    else:
        container[str(rng.choice(["x", "", "\x00", "class_names", "results"]))] = container[key]
    return value


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Bytes of which some are others, gone, or more."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8])):
        at = rng.randrange(min(len(data), rng.choice([64, 512, len(data)])) or 1)
        how = rng.random()
        if how < 0.5 and data:
            data[min(at, len(data) - 1)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        elif how < 0.7:
            del data[at:]
        elif how < 0.85:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice([1, 4, 8])))
        else:
            data[at : at + 8] = rng.choice([b"\xff" * 8, b"\x00" * 8, (2**60).to_bytes(8, "little")])
    return bytes(data)


def in_a_line(action: Callable[[], Any]) -> str | None:
    """Runs what may be refused, in a line that people can read; returns that line, None if nothing was wrong."""
    try:
        action()
    except InputError as refused:
        message = str(refused)
    else:
        return None
    assert "\n" not in message, message
    assert 0 < len(message) < 2000, message[:3000]
    return message
