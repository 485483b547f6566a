"""Install lines that a user can see name this project, whose name on PyPI is not that of its import."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import actionformer
from actionformer.core.errors import DISTRIBUTION, missing_extra

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OTHERS = {"torch", "hatchling", "onnx"}
"""What else a line may install; the last one and what follows it for a benchmark."""
LINE = re.compile(r"""pip install ['"]?([\w.-]+)(?:\\?\[([\w,]+)\\?\])?""")


def texts() -> list[Path]:
    """Everything with words for people in it."""
    written = [path for name in ("src", "docs", "tests", "benchmarks") for path in (ROOT / name).rglob("*")]
    chosen = [path for path in written if path.suffix in {".py", ".md", ".js", ".html", ".toml"}]
    return [*ROOT.glob("*.md"), *chosen]


def lines() -> Iterator[tuple[Path, str, str]]:
    for path in texts():
        for name, extras in LINE.findall(path.read_text("utf-8")):
            yield path, name, extras


def test_every_install_line_is_of_this_project() -> None:
    found = list(lines())
    assert len({path for path, *_ in found}) > 5  # README, docs, tests
    for path, name, extras in found:
        assert name in {".", DISTRIBUTION, *OTHERS}, path
        for extra in filter(None, extras.split(",")):
            assert extra in PROJECT["optional-dependencies"], path


def extras_named() -> Iterator[tuple[Path, str]]:
    """The extras that errors ask for: second argument of `missing_extra`, wherever it is called."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "missing_extra":
                extra = node.args[1]
                assert isinstance(extra, ast.Constant), path
                yield path, str(extra.value)


def test_errors_name_extras_that_exist() -> None:
    named = list(extras_named())
    assert len(named) >= 4
    for path, extra in named:
        assert extra in PROJECT["optional-dependencies"], path
        assert f"pip install 'actionformer-tal[{extra}]'" in str(missing_extra("package", extra, "this"))


def test_the_name_is_the_one_of_the_distribution() -> None:
    assert PROJECT["name"] == DISTRIBUTION == "actionformer-tal"
    assert any(line.startswith(f"{DISTRIBUTION}[") for line in PROJECT["optional-dependencies"]["dev"])
    assert PROJECT["scripts"] == {"actionformer": "actionformer.cli:main"}


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    from actionformer.cli import main

    assert actionformer.__version__ == version(DISTRIBUTION)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"{actionformer.__version__}\n"
