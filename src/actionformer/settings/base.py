"""What all settings are: frozen, typed, each with the text beneath it, which help and files quote."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

LONGEST_LIST = 100


class Settings(BaseModel):
    """A section of settings. An unknown one is refused, and so is a number that is not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)


@cache
def descriptions(section: type[Settings]) -> dict[str, str]:
    """Setting -> the text beneath it in the source, which is read when somebody asks."""
    bases = [base for base in reversed(section.__mro__) if issubclass(base, Settings) and base is not Settings]
    return {name: text for base in bases for name, text in _documented(base) if name in section.model_fields}


def _documented(section: type[Settings]) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(_classes(section.__module__)[section.__name__].body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            yield ast.unparse(field.target), str(text.value.value)


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    """The classes of a module by name: parsed once, as Python's search for each in the source takes far longer."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def check_short(name: str, numbers: tuple[float, ...]) -> None:
    """Raises a ValueError if a list is longer than anybody can mean."""
    if len(numbers) > LONGEST_LIST:
        raise ValueError(f"{name}: expected at most {LONGEST_LIST} numbers, found {len(numbers)}")


def short(value: object) -> str:
    """A value in a message: huge numbers and long texts are cut."""
    try:
        text = repr(value)
    except ValueError:  # more digits than Python prints
        return f"a number of {value.bit_length()} bits" if isinstance(value, int) else "numbers of thousands of digits"
    return text if len(text) <= 80 else f"{text[:77]}..."
