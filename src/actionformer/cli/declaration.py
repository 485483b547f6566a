"""What the source of a function says of it: a text, and its parameters as options.

The function itself is imported when it is called, and torch with it: `--help` answers without.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts

from actionformer.core.devices import PRECISIONS
from actionformer.datasets.index import DATASETS
from actionformer.datasets.submissions.index import SUBMISSIONS
from actionformer.formats.index import names
from actionformer.training.loggers.index import LOGGERS

TYPES: dict[str, Any] = {
    "Config": str,  # a preset's name or a file
    "Source": Annotated[str, cyclopts.Parameter(allow_leading_hyphen=True)],  # - is standard input
    "Paths": list[Path],
    "Sequence[str | Path]": list[Path],
    "tuple[Path, ...]": tuple[Path, ...],
    "Path": Path,
    "Proposals": Path,
    "Sequence[int]": list[int],
    "Sequence[float]": str,  # numbers with commas or colons between them
    "Sequence[str]": list[str],
    "Precision": Literal[PRECISIONS],
    "FormatName": Literal[names(writes=True)],
    "LabelFormatName": Literal[names(imports=True)],
    "LoggerName": list[Literal[tuple(LOGGERS)]],  # type: ignore[misc]
    "LiveFormatName": Literal[names(streams=True)],
    "DatasetName": Literal[tuple(DATASETS)],
    "BenchmarkName": Literal[tuple(SUBMISSIONS)],
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
}
"""What an annotation names -> what a command line gives; the first that it names counts."""
Flag = Annotated[bool, cyclopts.Parameter(negative=(), show_default=False)]
"""An option of a verb's own that takes no value and is off by default."""
_SECTION = re.compile(r"\n(Args|Returns|Raises):\n")
_ENTRY = re.compile(r"^    (\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)


@dataclass(frozen=True)
class Declaration:
    """A function, without its body."""

    text: str
    """What its docstring says before the sections."""
    names: frozenset[str]
    """Of all parameters."""
    options: dict[str, inspect.Parameter]
    """Those that a command line can give, by name."""


def read_declaration(function: str) -> Declaration:
    """Reads a function of this package, such as "recipes.train:train"; its defaults are literals."""
    stub = _without_body(*function.split(":"))
    text, *sections = _SECTION.split(inspect.getdoc(stub) or "")
    texts = dict(_ENTRY.findall(dict(zip(sections[::2], sections[1::2], strict=True)).get("Args", "")))
    parameters = inspect.signature(stub).parameters
    options = {name: _option(one, texts.get(name, "")) for name, one in parameters.items() if _type(one.annotation)}
    return Declaration("\n\n".join(map(_in_a_line, text.split("\n\n"))), frozenset(parameters), options)


def _without_body(module: str, name: str) -> Callable[..., Any]:
    """The signature and the docstring of a function that is not imported; annotations stay text."""
    source = (resources.files("actionformer") / f"{module.replace('.', '/')}.py").read_text("utf-8")
    head = re.search(rf'^def {name}\(.*?""".*?"""', source, re.MULTILINE | re.DOTALL)
    assert head is not None, (module, name)
    names: dict[str, Any] = {}
    exec(f"from __future__ import annotations\n{head[0]}", names)
    found: Callable[..., Any] = names[name]
    return found


def _option(parameter: inspect.Parameter, text: str) -> inspect.Parameter:
    given, default = _type(parameter.annotation), parameter.default
    sentence = _in_a_line(text)
    how = cyclopts.Parameter(
        help=sentence[:1].upper() + sentence[1:],
        negative=() if default is False else None,
        show_default=default not in (None, False, ()),
    )
    if default is None or default == ():
        given, default = given | None, None
    return parameter.replace(kind=parameter.KEYWORD_ONLY, default=default, annotation=Annotated[given, how])


def _type(annotation: str) -> Any:
    """What a command line gives for a parameter; None if it gives nothing, as for a console."""
    if choices := re.search(r"\bLiteral(\[.*?\])", annotation):
        return Literal[tuple(ast.literal_eval(choices[1]))]
    named = (kind for name, kind in TYPES.items() if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", annotation))
    return next(named, None)


def _in_a_line(text: str) -> str:
    return " ".join(text.split())
