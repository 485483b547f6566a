"""The published YAML configurations, read into our settings. What is not known is refused by name."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from actionformer.core.errors import InputError, reason_of
from actionformer.core.files import LARGEST_SETTINGS, parsing, read_text
from actionformer.core.names import nearest
from actionformer.interop.index import repository_of
from actionformer.interop.repository import Repository, Tables
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config


def read_published_settings(path: str | Path) -> Config:
    """Our settings for a published YAML file.

    Raises:
        InputError: the file is missing or no YAML, or has a section, key or value that is not known.
    """
    return read_configuration(path)[1]


def read_configuration(path: str | Path) -> tuple[Repository, Config]:
    """The repository that a published YAML file is of, and our settings for it.

    Raises:
        InputError: as `read_published_settings`.
    """
    tables = _read_yaml(Path(path))
    repository = repository_of(tables)
    published = _with_defaults(repository, tables, str(path))
    try:
        return repository, load_config(Config(), repository.translate(published))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


class _PlainLoader(yaml.SafeLoader):
    """Values alone: no aliases, of which a few lines make a value of any size, and no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it uses an alias (*): write the value in its place")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        content = super().construct_mapping(node, deep)
        if len(content) != len(node.value):
            raise yaml.YAMLError(f"a key occurs twice in line {node.start_mark.line + 1} or below it")
        return content


def _read_yaml(path: Path) -> Tables:
    text = read_text(path, what="the configuration", largest=LARGEST_SETTINGS, may_be_empty=True)
    with parsing(path, "YAML"):
        try:
            tables = yaml.load(text, _PlainLoader)
        except (yaml.YAMLError, TypeError) as error:  # a key that is a list
            raise InputError(f"{path}: not valid YAML: {reason_of(error)}") from error
    if not isinstance(tables, Mapping):
        sections = ", ".join(repository_of({}).sections)
        raise InputError(f"{path}: expected the sections {sections}, found {type(tables).__name__}")
    return tables


def _with_defaults(repository: Repository, tables: Tables, source: str) -> dict[str, Any]:
    result: dict[str, Any] = dict(repository.top)
    known = [*repository.top, *repository.sections]
    for key, value in tables.items():
        if key not in known:
            raise InputError(f"{source}: unknown key {key}{nearest(str(key), known)}")
        result[key] = _checked(value, repository.top.get(key), key in repository.lists, f"{source}: {key}")
    for section in repository.sections:
        result[section] = _section_with_defaults(repository, section, result.get(section) or {}, source)
    for (section, key), allowed in repository.allowed.items():
        found, name = (result[section][key], f"{section}.{key}") if section else (result[key], key)
        if found not in allowed:
            expected = " or ".join(map(repr, allowed))
            raise InputError(f"{source}: {name} is {found!r}, only {expected} is known")
    return result


def _section_with_defaults(repository: Repository, section: str, given: Any, source: str) -> dict[str, Any]:
    defaults = repository.sections[section]
    if not isinstance(given, Mapping):
        raise InputError(f"{source}: section {section} must hold keys and values, found {given!r}")
    result = dict(defaults)
    for key, value in given.items():
        if key not in defaults:
            raise InputError(f"{source}: unknown key {section}.{key}{nearest(str(key), list(defaults))}")
        may_be_list = key in repository.lists
        result[key] = _checked(value, defaults[key], may_be_list, f"{source}: {section}.{key}")
    return result


def _checked(value: Any, default: Any, may_be_list: bool, where: str) -> Any:
    """A value of the same kind as its default."""
    if default is None:
        return value  # a setting of ours checks it, or none needs it
    kind = type(default)
    if kind in (int, float):
        if isinstance(value, str):
            value = _number(value)
        fits = all(map(_is_number, value)) if may_be_list and isinstance(value, list) else _is_number(value)
    elif kind is tuple:
        fits = isinstance(value, list) and len(value) == len(default) and all(map(_is_number, value))
    else:
        fits = isinstance(value, kind)
    if not fits:
        expected = list(default) if kind is tuple else default
        raise InputError(f"{where} is {value!r}, expected something like {expected!r}")
    return value


def _number(text: str) -> float | str:
    """YAML 1.1 takes a number without a point, such as 1e-4, for text."""
    try:
        return float(text)
    except ValueError:
        return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
