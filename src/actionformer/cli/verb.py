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
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, get_args

import cyclopts

from actionformer.cli import VERBS, python_name
from actionformer.cli.declaration import Declaration, read_declaration

Verb = Callable[..., int | None]
_SILENT = cyclopts.Parameter(show_default=False)


class Recipe:
    """A function that does the work of a verb, and what the command line gives it."""

    def __init__(self, function: str, given: Mapping[str, Any]) -> None:
        self.function, self.given = function, given

    def __call__(self, **more: Any) -> Any:
        """Imports the function and calls it."""
        module, _, name = self.function.partition(":")
        return getattr(_imported(f"actionformer.{module}"), name)(**self.given, **more)

    def value(self, name: str) -> Any:
        """What a parameter is: as given, else its default."""
        return self.given[name] if name in self.given else read_declaration(self.function).options[name].default


def verb(*, example: str, takes: str = "", sections: tuple[str, ...] = ()) -> Callable[[Verb], Verb]:
    """Makes a command of a function of its name, which is handed its recipes, and its own options by name.

    Args:
        example: of a call, without the program's name.
        takes: the parameters given by position, in order; of `*videos` there is one or more, and `config=preset` is the
            parameter `config`, which the command line calls preset.
        sections: whose settings are options; by default all.
    """

    def made(function: Verb) -> Verb:
        name = next(one for one in VERBS if python_name(one) == function.__name__)
        declared = {one: read_declaration(one) for one in VERBS[name]}
        signature = _signature(declared.values(), takes, sections, function)
        many = {name: () for name, one in signature.parameters.items() if one.kind == one.VAR_POSITIONAL}

        def run(*arguments: Any, **named: Any) -> int | None:
            given: dict[str, Any] = many | signature.bind(*arguments, **named).arguments
            if "settings" in given:
                from actionformer.cli.settings import given_settings

                given["settings"] = given_settings(given["settings"])
            recipes = [Recipe(one, _some(given, each.names)) for one, each in declared.items()]
            return function(*recipes, **_some(given, _own(function)))

        *_, last = declared.values()
        texts = (last.text, inspect.getdoc(function), f"Example: actionformer {example}")
        run.__doc__ = "\n\n".join(filter(None, texts))
        run.__signature__, run.__annotations__ = signature, {}  # type: ignore[attr-defined]
        return run

    return made


def _signature(
    declared: Collection[Declaration], takes: str, sections: tuple[str, ...], function: Verb
) -> inspect.Signature:
    """What the command line gives: of two functions with a parameter of one name the first that says what it is.

    What functions before the last need and the last does not know may be left out.
    """
    *_, last = declared
    options: dict[str, inspect.Parameter] = {}
    for name, option in (entry for each in declared for entry in each.options.items()):
        if name not in options or not _is_explained(options[name]):
            options[name] = option if name in last.names else _optional(option)
    by_position = [_by_position(options.pop(re.split(r"\W", word.strip("*"))[0]), word) for word in takes.split()]
    if any("settings" in each.names for each in declared):
        from actionformer.cli.settings import settings_options  # takes longer than all the rest

        options["settings"] = inspect.Parameter(
            "settings", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=settings_options(*sections)
        )
    return inspect.Signature([*by_position, *options.values(), *_own(function).values()])


def _optional(option: inspect.Parameter) -> inspect.Parameter:
    if option.default is not option.empty:
        return option
    kind, how = get_args(option.annotation)
    return option.replace(default=None, annotation=Annotated[kind | None, how, _SILENT])


def _is_explained(option: inspect.Parameter) -> bool:
    return any(how.help for how in get_args(option.annotation)[1:])


def _by_position(option: inspect.Parameter, word: str) -> inspect.Parameter:
    if word.startswith("*"):
        kind, how = get_args(option.annotation)
        needed = cyclopts.Parameter(required=True)
        return inspect.Parameter(
            option.name, option.VAR_POSITIONAL, annotation=Annotated[get_args(kind)[0], how, needed]
        )
    called = cyclopts.Parameter(name=word.partition("=")[2] or None)
    return option.replace(kind=option.POSITIONAL_OR_KEYWORD, annotation=Annotated[option.annotation, called])


def _own(function: Verb) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function, eval_str=True).parameters
    return {name: one for name, one in parameters.items() if one.kind == one.KEYWORD_ONLY}


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
