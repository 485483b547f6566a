"""Imports run against the way that data takes, as docs/architecture.md says."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import actionformer
from actionformer.detectors.index import ARCHITECTURES, SETTINGS

SOURCE = Path(actionformer.__file__).parent
ORDER = [
    "core",
    "settings",
    "formats",
    "features",
    "weights",
    "medium",
    "video",
    "sound",
    "sensors",
    "keypoints",
    "backbones",
    "extraction",
    "labels",
    "data",
    "datasets",
    "nn",
    "detectors",
    "hub",
    "model_directory",
    "training",
    "engines",
    "inference",
    "standalone",
    "evaluation",
    "checks",
    "advice",
    "interop",
    "demo",
    "recipes",
    "web",
    "cluster",
    "viewer",
    "serving",
    "cli",
]
OWN_FOLDERS = tuple(f"actionformer.detectors.{name}." for name in ARCHITECTURES)
CLASSES = {path.rpartition(".")[2] for path in (*ARCHITECTURES.values(), *SETTINGS.values())}
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE or path.stem.strip("_") == path.stem)


def test_the_table_of_rooms_has_the_order_that_imports_take() -> None:
    document = Path(__file__).resolve().parents[1] / "docs" / "architecture.md"
    rows = [line.split("|")[1] for line in document.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert [name.removesuffix(".py").strip("/") for row in rows for name in re.findall(r"`([^`]+)`", row)] == ORDER


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All nodes of a file's syntax tree."""
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


def imported(path: Path) -> Iterator[str]:
    """Full names of all modules that a file imports, those inside functions too."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_imports_only_run_against_the_way_of_the_data() -> None:
    imports = [(path, name) for path in MODULES for name in imported_files(path)]
    assert [(str(path), name) for path, name in imports if place(name) > place(dotted(path))] == []
    apart = {"training", "inference"}
    assert [path for path, name in imports if {room(path), name.split(".")[1]} == apart and not is_leaf(name)] == []


def place(module: str) -> int:
    """Where a module stands in the order: sections of settings, and the index of detectors, with `settings`."""
    return ORDER.index("settings" if is_leaf(module) else module.split(".")[1])


def is_leaf(module: str) -> bool:
    """Whether a module holds settings, or says where they are."""
    return module.endswith(".settings") or module == "actionformer.detectors.index"


def test_no_detector_is_named_where_all_are_meant() -> None:
    for path in MODULES:
        if room(path) in ("detectors", "interop") or dotted(path) == "actionformer.settings.model":
            continue
        strangers = [name for name in imported_files(path) if name.startswith(OWN_FOLDERS)]
        names = {node.id for node in nodes(path) if isinstance(node, ast.Name)}
        assert not strangers, path
        assert not names & CLASSES, path


@pytest.mark.parametrize("detector", ARCHITECTURES)
def test_no_detector_imports_another(detector: str) -> None:
    others = tuple(f"actionformer.detectors.{name}." for name in ARCHITECTURES if name != detector)
    for path in (SOURCE / "detectors" / detector).glob("*.py"):
        assert not [name for name in imported_files(path) if name.startswith(others)]


def test_no_files_import_one_another_in_a_circle() -> None:
    files = {dotted(path): set(imported_files(path)) for path in SOURCE.rglob("*.py")}
    assert circles(files) == []


def test_a_circle_is_found_where_there_is_one() -> None:
    files = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"e"}}
    assert circles(files) == [["b", "c"], ["e"]]


def dotted(path: Path) -> str:
    """The full name of a file's module; of `__init__.py` that of its package."""
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


def imported_files(path: Path) -> Iterator[str]:
    """Full names of the package's files that a file imports, those inside functions too."""
    for node in nodes(path):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] == "actionformer":
                yield name if is_module(name) else name.rpartition(".")[0]


@cache
def is_module(name: str) -> bool:
    place = SOURCE.parent / name.replace(".", "/")
    return place.is_dir() or place.with_suffix(".py").is_file()


def circles(files: dict[str, set[str]]) -> list[list[str]]:
    """Files that can be reached from themselves, in groups that reach one another."""
    reached = {file: reachable(files, file) for file in files}
    inside = [file for file in sorted(files) if file in reached[file]]
    groups = {tuple(other for other in inside if other in reached[file] and file in reached[other]) for file in inside}
    return sorted(map(list, groups))


def reachable(files: dict[str, set[str]], start: str) -> set[str]:
    """All files that are imported from one, by whatever way."""
    found: set[str] = set()
    waiting = list(files[start])
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += files.get(file, ())
    return found


@pytest.mark.parametrize(
    "name", ["core/segments.py", "core/detections.py", "core/annotations.py", "settings/config.py", "core/files.py"]
)
def test_plain_rooms_know_no_torch(name: str) -> None:
    assert not [module for module in imported(SOURCE / name) if module.split(".")[0] == "torch"]


PRINTING = {"print", "Console", "Table"}
"""What only `terminal.py` calls: everybody else would have to think of markup, emoji codes and escape sequences."""


def test_only_one_module_prints_names() -> None:
    for path in MODULES:
        if path.name == "terminal.py":
            continue
        calls = [node.func for node in nodes(path) if isinstance(node, ast.Call)]
        called = {function.id for function in calls if isinstance(function, ast.Name)}
        assert not called & PRINTING, path
        assert "TextColumn" not in _imported_from_rich(path), path


def _imported_from_rich(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rich"):
            yield from (alias.name for alias in node.names)
