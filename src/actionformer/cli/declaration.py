"""What the source of a function says of it: name, type, default and text of each parameter.

The function itself is imported when it is called, and torch with it: `--help` answers without.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

REQUIRED = inspect.Parameter.empty
_SECTION = re.compile(r"\n(Args|Returns|Raises):\n")
_ENTRY = re.compile(r"^    (\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)


@dataclass(frozen=True)
class Declared:
    """A parameter."""

    kinds: tuple[str, ...]
    """The members of its type, as they are written."""
    default: Any
    text: str

    @property
    def choices(self) -> tuple[str, ...]:
        """Those of a `Literal[...]`."""
        literals = [one.removeprefix("Literal") for one in self.kinds if one.startswith("Literal[")]
        return tuple(choice for one in literals for choice in ast.literal_eval(one))


@dataclass(frozen=True)
class Declaration:
    """A function: what its docstring says before the sections, a paragraph a line, and its parameters by name."""

    text: str
    parameters: dict[str, Declared]


def read_declaration(function: str) -> Declaration:
    """Reads a function of this package, such as "recipes.train:train"; its defaults are literals."""
    module, _, name = function.partition(":")
    source = (resources.files("actionformer") / f"{module.replace('.', '/')}.py").read_text("utf-8")
    head = re.search(rf'^def {name}\(.*?""".*?"""', source, re.MULTILINE | re.DOTALL)
    assert head is not None, function
    (node,) = ast.parse(head[0]).body
    assert isinstance(node, ast.FunctionDef)
    text, *sections = _SECTION.split(ast.get_docstring(node) or "")
    entries = dict(_ENTRY.findall(dict(zip(sections[::2], sections[1::2], strict=True)).get("Args", "")))
    parameters = {
        argument.arg: Declared(tuple(_kinds(argument.annotation)), default, _sentence(entries.get(argument.arg, "")))
        for argument, default in _arguments(node.args)
    }
    return Declaration("\n\n".join(" ".join(part.split()) for part in text.split("\n\n")), parameters)


def _arguments(arguments: ast.arguments) -> Iterator[tuple[ast.arg, Any]]:
    required = len(arguments.args) - len(arguments.defaults)
    defaults = [*[None] * required, *arguments.defaults, *arguments.kw_defaults]
    for argument, default in zip([*arguments.args, *arguments.kwonlyargs], defaults, strict=True):
        yield argument, REQUIRED if default is None else ast.literal_eval(default)


def _kinds(annotation: ast.expr | None) -> Iterator[str]:
    if isinstance(annotation, ast.BinOp):
        yield from _kinds(annotation.left)
        yield from _kinds(annotation.right)
    elif annotation is not None:
        yield ast.unparse(annotation)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]
