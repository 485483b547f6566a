"""From parameters as they are declared to parameters of a command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import cyclopts

from actionformer.cli.declaration import Declaration, Declared
from actionformer.cli.settings import settings_options
from actionformer.core.devices import PRECISIONS

FORMATS = ("json", "jsonl", "csv", "table", "srt", "vtt", "eaf")
KINDS: dict[str, Any] = {
    "Config": str,  # a preset's name or a file
    "Source": Annotated[str, cyclopts.Parameter(allow_leading_hyphen=True)],  # - is standard input
    "Sequence[str | Path]": list[Path],
    "Paths": list[Path],
    "tuple[Path, ...]": tuple[Path, ...],
    "Sequence[str]": list[str],
    "Sequence[int]": list[int],
    "Path": Path,
    "bool": bool,
    "int": int,
    "float": float,
    "Precision": Literal[PRECISIONS],
    "Format": Literal[FORMATS],
    "str": str,
}
"""A member of a parameter's type -> what a command line gives; the first that a type has counts."""
Flag = Annotated[bool, cyclopts.Parameter(negative=(), show_default=False)]
"""An option that takes no value and is off by default."""


def options_of(
    declarations: Iterable[Declaration], takes: str, names: Mapping[str, str], sections: tuple[str, ...]
) -> Iterator[Parameter]:
    """The parameters that a command line can give, first those given by position; see `verb`.

    Of two functions with a parameter of one name, the text of the first that has one counts.
    """
    parameters: dict[str, Declared] = {}
    for name, declared in (entry for each in declarations for entry in each.parameters.items()):
        if name not in parameters or not parameters[name].text:
            parameters[name] = declared
    for word in takes.split():
        name = word.strip("*")
        kind = Parameter.VAR_POSITIONAL if word != name else Parameter.POSITIONAL_OR_KEYWORD
        yield _option(name, kind, parameters.pop(name), names.get(name))
    for name, declared in parameters.items():
        if name == "settings":
            yield Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=settings_options(*sections))
        elif _type(declared) is not None:
            yield _option(name, Parameter.KEYWORD_ONLY, declared, names.get(name))


def _option(name: str, kind: Any, declared: Declared, called: str | None) -> Parameter:
    given, default = _type(declared), declared.default
    how = cyclopts.Parameter(
        name=called,
        help=declared.text,
        negative=() if default is False else None,
        show_default=default not in (None, False, ()),
    )
    if kind == Parameter.VAR_POSITIONAL:
        return Parameter(name, kind, annotation=Annotated[get_args(given)[0], how])
    if default is None or default == ():
        given, default = given | None, None
    return Parameter(name, kind, default=default, annotation=Annotated[given, how])


def _type(declared: Declared) -> Any:
    """What a command line gives for a parameter; None if it gives nothing, as for a console."""
    if declared.choices:
        return Literal[declared.choices]
    return next((given for kind, given in KINDS.items() if kind in declared.kinds), None)
