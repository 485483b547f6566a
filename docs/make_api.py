"""Writes docs/api.md, the reference of the public names, from the source: `python docs/make_api.py`.

Signatures are copied as they stand in the source, so that no parameter, default or annotation changes without a
change of the page. Docstrings become Markdown, section by section.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import actionformer
from actionformer.advice.advised import Advised
from actionformer.advice.draft import Advice
from actionformer.checks.report import DoctorReport
from actionformer.core.annotations import Annotations
from actionformer.core.calibration import Calibration
from actionformer.detectors.index import SETTINGS, settings_of
from actionformer.evaluation.comparison import ComparisonReport
from actionformer.evaluation.diagnosis_report import DiagnosisReport
from actionformer.evaluation.report import Counts
from actionformer.inference.stream import Stream
from actionformer.inference.suppression import ScoredSegments
from actionformer.model_directory import ModelCard
from actionformer.recipes.extract import Extraction
from actionformer.recipes.live import Watch
from actionformer.recipes.pipeline import Find
from actionformer.settings.base import Settings, descriptions

PAGE = Path(__file__).with_name("api.md")
HEAD = """# API reference

Everything here is imported from `actionformer`, for example `actionformer.train`. The types under
[Results](#results) are the exception: you get them from functions and methods. `help(actionformer)` is a short tour.

This page is made from the source by `python docs/make_api.py`.
"""
GROUPS = {
    "Videos to features": ["extract", "load_backbone", "Backbone"],
    "Training and evaluation": [
        "doctor",
        "advise",
        "train",
        "cross_validate",
        "self_train",
        "compare",
        "ablate",
        "evaluate",
        "ensemble",
        "classify",
        "calibrate",
        "diagnose",
        "read_annotations",
    ],
    "Detection": ["load", "pipeline", "build", "convert", "push", "Detector", "watch", "export"],
    "Progress and logging": ["Progress", "Logger"],
    "Detections and scores": ["Detections", "Action", "read_results", "score", "Report", "suppress"],
    "Configuration": ["Config", "load_config", "SuppressionSettings"],
    "Errors": ["InputError"],
}
RESULTS = [
    Advice,
    Advised,
    Annotations,
    Calibration,
    ComparisonReport,
    Counts,
    DiagnosisReport,
    DoctorReport,
    Extraction,
    Find,
    ModelCard,
    ScoredSegments,
    Stream,
    Watch,
]
ALIASES = {
    "Array": "inference.sequences",
    "Changes": "settings.config",
    "Frame": "backbones.base",
    "LoggerName": "training.loggers.index",
    "OnProgress": "core.progress",
    "OneInput": "recipes.pipeline",
    "Paths": "data.collection",
    "Precision": "core.devices",
    "Rows": "core.detections",
    "Source": "recipes.live",
}
"""Short names of types in signatures, and where they are defined."""
_SECTION = re.compile(r"\n+(Args|Attributes|Returns|Raises|Warns):\n")
_ENTRY = re.compile(r"^([\w, ]+): (.+(?:\n +.+)*)", re.MULTILINE)
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


@dataclass(frozen=True)
class Declared:
    """A class, a function or a module in its source."""

    node: Any
    lines: list[str]

    @property
    def signature(self) -> str:
        """The lines before the docstring, decorators included, with a stub's dots for a body."""
        first = min(one.lineno for one in [self.node, *self.node.decorator_list])
        return "\n".join(self.lines[first - 1 : self.node.body[0].lineno - 1]) + " ..."

    def methods(self) -> Iterator["Declared"]:
        """The functions that a class itself declares, in order."""
        return (Declared(node, self.lines) for node in self.node.body if isinstance(node, ast.FunctionDef))


def page() -> str:
    """The whole page."""
    public = {group: [(name, getattr(actionformer, name)) for name in names] for group, names in GROUPS.items()}
    results = [(f"{one.__module__.removeprefix('actionformer.')}.{one.__name__}", one) for one in RESULTS]
    parts = [HEAD, *index(public | {"Results": results})]
    for group, names in public.items():
        parts += [f"## {group}\n", *(part for name, thing in names for part in entry(name, thing))]
    parts += ["## Results\n", "What the functions and methods above return.\n"]
    parts += [part for name, thing in results for part in entry(name, thing)]
    return "\n".join([*parts, *aliases_table(), *settings_tables()])


def index(groups: dict[str, list[tuple[str, Any]]]) -> Iterator[str]:
    """A table per group: each name with its first sentence, each method of a class with a link."""
    for group, names in groups.items():
        yield f"| [{group}](#{anchor(group)}) | |\n|---|---|"
        for name, thing in names:
            first = text((inspect.getdoc(thing) or "").split("\n\n")[0])
            methods = [one.node.name for one in documented(declared(thing))] if inspect.isclass(thing) else []
            links = ", ".join(f"[`{method}`](#{anchor(f'{thing.__name__}.{method}')})" for method in methods)
            yield f"| [`{name}`](#{anchor(name)}) | {cell(first)}{f'<br>{links}' if links else ''} |"
        yield ""
    links = ", ".join(f"[{title.removeprefix('Settings: ')}](#{anchor(title)})" for title, _ in tables())
    yield f"| [Settings](#settings) |\n|---|\n| {links} |\n"


def entry(name: str, thing: Any) -> Iterator[str]:
    """A public name: heading, signature, text; of a class also its attributes and methods, and how it is made."""
    source = declared(thing)
    yield f"### `{name}`\n"
    if not inspect.isclass(thing):
        yield from [code(source.signature), *prose(ast.get_docstring(source.node))]
        return
    made = [one.signature for one in source.methods() if one.node.name == "__init__"]
    yield code("\n".join([source.signature.removesuffix(" ..."), *made]) if made else source.signature)
    yield from prose(ast.get_docstring(source.node), attributes(source))
    for method in documented(source):
        yield f"#### `{thing.__name__}.{method.node.name}`\n"
        yield from [code(textwrap.dedent(method.signature)), *prose(ast.get_docstring(method.node))]


def declared(thing: Any) -> Declared:
    """The source of a class, a function or a module."""
    lines = inspect.getsource(thing)
    tree = ast.parse(lines)
    return Declared(tree if inspect.ismodule(thing) else tree.body[0], lines.splitlines())


def documented(source: Declared) -> Iterator[Declared]:
    """The methods that a reader calls: public ones, and special ones that say what they do. No properties."""
    for method in source.methods():
        name = method.node.name
        special = name.startswith("__") and name not in ("__init__", "__repr__") and ast.get_docstring(method.node)
        if (special or not name.startswith("_")) and not is_property(method):
            yield method


def is_property(method: Declared) -> bool:
    """Also a setter."""
    return any(ast.unparse(one).endswith(("property", ".setter")) for one in method.node.decorator_list)


def attributes(source: Declared) -> dict[str, tuple[str, str]]:
    """Attribute -> its type with the default, and its text: fields of the class and properties."""
    found = dict(assignments(source))
    for method in source.methods():
        if is_property(method) and method.node.returns and not method.node.name.startswith("_"):
            found.setdefault(method.node.name, (unparsed(method.node.returns), ast.get_docstring(method.node) or ""))
    return {name: one for name, one in found.items() if not name.startswith("_")}


def assignments(source: Declared) -> Iterator[tuple[str, tuple[str, str]]]:
    """Name -> its type with the default, or what it stands for; and the text below it."""
    for node, below in pairwise([*source.node.body, None]):
        said = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
        if isinstance(node, ast.AnnAssign):
            default = f" = {unparsed(node.value)}" if node.value is not None else ""
            yield unparsed(node.target), (f"{unparsed(node.annotation)}{default}", str(said))
        elif isinstance(node, ast.Assign):
            yield unparsed(node.targets[0]), (unparsed(node.value), str(said))


def prose(docstring: str | None, fields: dict[str, tuple[str, str]] | None = None) -> Iterator[str]:
    """A docstring as Markdown: its sections as lists, the attributes of a class with what is known of their types."""
    said, *sections = _SECTION.split(docstring or "")
    yield from (f"{text(paragraph)}\n" for paragraph in said.split("\n\n") if paragraph)
    named = dict(zip(sections[::2], map(textwrap.dedent, sections[1::2]), strict=True))
    told = dict(_ENTRY.findall(named.pop("Attributes", "")))
    known = {name: (kind, told.pop(name, said)) for name, (kind, said) in (fields or {}).items()}
    listed = [*((name, *one) for name, one in known.items()), *((name, "", said) for name, said in told.items())]
    if listed:
        yield "**Attributes**\n"
        yield from (
            f"- `{name}{f': {kind}' if kind else ''}`{f': {text(said)}' if said else ''}" for name, kind, said in listed
        )
        yield ""
    for title, body in named.items():
        yield f"**{title}**\n"
        entries = _ENTRY.findall(body)
        yield from (
            (f"- `{name}`: {text(said)}" for name, said in entries) if entries and title != "Returns" else [text(body)]
        )
        yield ""


def aliases_table() -> Iterator[str]:
    """What the short names in signatures stand for."""
    yield "### Short names\n\nIn the signatures above:\n\n| name | stands for | |\n|---|---|---|"
    for name, home in ALIASES.items():
        source = declared(import_module(f"actionformer.{home}"))
        kind, said = next(one for assigned, one in assignments(source) if assigned == name)
        yield f"| `{name}` | `{cell(kind)}` | {cell(text(said))} |"
    yield ""


def settings_tables() -> Iterator[str]:
    """A table per section of `Config`, of `model` one per detector."""
    yield "## Settings\n"
    yield "The sections of [`Config`](#config), with their defaults. `None` means: not set.\n"
    for title, kind in tables():
        yield f"### {title}\n"
        yield f"{text(kind.__doc__ or '')}\n"
        yield "| setting | default | values | |\n|---|---|---|---|"
        for name, field in kind.model_fields.items():
            default = f"`{plain(field.get_default(call_default_factory=True))}`"
            yield f"| `{name}` | {default} | {cell(values(field))} | {cell(text(descriptions(kind)[name]))} |"
        yield ""


def tables() -> Iterator[tuple[str, type[Settings]]]:
    """Heading and settings of each table."""
    for section, default in actionformer.Config():
        if section == "model":
            yield from ((f"Settings: model of {detector}", settings_of(detector)) for detector in SETTINGS)
        else:
            yield f"Settings: {section}", type(default)


def values(field: Any) -> str:
    """What a setting may be: its type or choices, and bounds."""
    kind = field.annotation
    words = (
        " or ".join(f"`{plain(one)}`" for one in get_args(kind))
        if get_origin(kind) is Literal
        else f"`{inspect.formatannotation(kind)}`"
    )
    bounds = [
        f"{word} {number(getattr(one, name))}"
        for one in field.metadata
        for name, word in _BOUNDS.items()
        if hasattr(one, name)
    ]
    return ", ".join([words, *bounds])


def number(value: float) -> str:
    """A bound."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def unparsed(node: ast.AST) -> str:
    """Code as the project writes it."""
    return ast.unparse(node).replace("'", '"')


def plain(value: object) -> str:
    """A value as Python writes it, texts in the project's quotes."""
    return repr(value).replace("'", '"')


def code(lines: str) -> str:
    """A block of Python."""
    return f"```python\n{lines}\n```\n"


def text(lines: str) -> str:
    """Lines of a docstring as one line of Markdown, in which nothing but code is markup."""
    parts = " ".join(lines.split()).split("`")
    return "`".join(part if i % 2 else re.sub(r"([*<])", r"\\\1", part) for i, part in enumerate(parts))


def cell(line: str) -> str:
    """A line in a table."""
    return line.replace("|", r"\|")


def anchor(heading: str) -> str:
    """What a link to a heading is called on GitHub."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
