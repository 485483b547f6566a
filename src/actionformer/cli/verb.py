"""A verb of the command line: the parameters of the functions that do its work, as options.

    @verb(takes="*videos", example="extract videos/ --backbone motion --out features/")
    def extract(recipe: Recipe) -> int:
        done = recipe(console=plain_console())
        ...

Name, type, default and text of an option stand once, in the signature and docstring of the function that `VERBS` names.
The verb says which of them are given by position, and adds what only a command line needs: console, printing, exit
code, example.
"""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from actionformer.cli import VERBS
from actionformer.cli.declaration import read_declaration
from actionformer.cli.options import options_of
from actionformer.cli.settings import given_settings

Verb = Callable[..., int | None]


class Recipe:
    """A function that does the work of a verb, and what the command line gives it."""

    def __init__(self, function: str, given: Mapping[str, Any]) -> None:
        self.function, self.given = function, given

    def __call__(self, **more: Any) -> Any:
        """Imports the function and calls it."""
        module, _, name = self.function.partition(":")
        return getattr(_imported(f"actionformer.{module}"), name)(**self.given, **more)


def verb(
    *, example: str, takes: str = "", names: Mapping[str, str] | None = None, sections: tuple[str, ...] = ()
) -> Callable[[Verb], Verb]:
    """Makes a command of a function of its name, which is handed its recipes, and its own options by name.

    Args:
        example: of a call, without the program's name.
        takes: the parameters given by position, in order; of one with a star there may be many.
        names: parameter -> what the command line calls it, where that differs.
        sections: whose settings are options; by default all.
    """

    def made(function: Verb) -> Verb:
        declared = {one: read_declaration(one) for one in VERBS[function.__name__]}
        own = [
            one
            for one in inspect.signature(function, eval_str=True).parameters.values()
            if one.kind == one.KEYWORD_ONLY
        ]
        signature = inspect.Signature([*options_of(declared.values(), takes, names or {}, sections), *own])
        nothing: dict[str, Any] = {
            one.name: () for one in signature.parameters.values() if one.kind == one.VAR_POSITIONAL
        }

        def run(*arguments: Any, **named: Any) -> int | None:
            given = nothing | signature.bind(*arguments, **named).arguments
            if "settings" in given:
                given["settings"] = given_settings(given["settings"])
            recipes = [Recipe(one, _some(given, each.parameters)) for one, each in declared.items()]
            return function(*recipes, **_some(given, [one.name for one in own]))

        *_, last = declared.values()
        texts = (last.text, inspect.getdoc(function), f"Example: actionformer {example}")
        run.__doc__ = "\n\n".join(filter(None, texts))
        run.__signature__, run.__annotations__ = signature, {}  # type: ignore[attr-defined]
        return run

    return made


def _some(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _imported(module: str) -> ModuleType:
    """Imports out of sight of the garbage collector, which would search all that torch makes again and again."""
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        gc.enable()
