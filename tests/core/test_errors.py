"""What users are told: one function warns, in two ways that Python programs listen to."""

import ast
import logging
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

import actionformer
from actionformer.cli import main
from actionformer.core.errors import LONGEST_REASON, kind_and_reason, noted, reason_of, untold, warn

SOURCE = Path(actionformer.__file__).parent


def calls_of_warnings(path: Path) -> Iterator[int]:
    """Lines that call `warnings.warn`, or take it from its module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in ("warn", "warn_explicit"):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "warnings":
            yield node.lineno


def test_every_warning_goes_through_one_function() -> None:
    found = {path.name for path in SOURCE.rglob("*.py") if list(calls_of_warnings(path))}
    assert found == {"errors.py"}


def test_a_warning_is_a_python_warning_and_a_record(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(UserWarning, match="half of it is cut") as caught:
        warn("half of it is cut")
    assert [Path(one.filename).name for one in caught] == ["test_errors.py"]
    assert [(one.name, one.levelname, one.getMessage(), one.filename) for one in caplog.records] == [
        ("actionformer", "WARNING", "half of it is cut", "test_errors.py")
    ]


def test_without_a_handler_the_logger_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("actionformer")
    assert any(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    with warnings.catch_warnings(record=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warn("nothing listens")
    assert capsys.readouterr().err == ""


def test_the_command_line_prints_a_warning_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said_twice(*_: object) -> list[str]:
        for _time in range(2):
            with warnings.catch_warnings():  # which makes Python forget what it has shown
                warn("times are guessed")
        return []

    monkeypatch.setattr("actionformer.cli.info.preset_names", said_twice)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.raises(SystemExit):
            main(["info", "x.toml"])
    assert capsys.readouterr().err.count("warning: times are guessed\n") == 1


def test_a_reason_is_one_line_and_never_empty() -> None:
    assert reason_of(ValueError("broken\n  at byte 3")) == "broken at byte 3"
    assert reason_of(EOFError()) == "EOFError"
    assert len(reason_of(ValueError("x" * 1000))) == LONGEST_REASON


def test_the_kind_of_an_error_stands_once_before_its_reason() -> None:
    assert kind_and_reason(KeyError("b")) == "KeyError: 'b'"
    assert kind_and_reason(ValueError("broken\n  at byte 3")) == "ValueError: broken at byte 3"
    assert kind_and_reason(EOFError()) == "EOFError"


def test_what_is_noted_in_one_thread_is_not_what_another_is_told() -> None:
    both_listen, both_have_warned = Barrier(2), Barrier(2)

    def note(message: str) -> list[str]:
        told: list[str] = []
        with noted(told):
            both_listen.wait(20)
            warn(message)
            both_have_warned.wait(20)
        return told

    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(note, message) for message in ("of the first", "of the second"))
    assert (first.result(), second.result()) == (["of the first"], ["of the second"])
    with pytest.warns(UserWarning, match="to the caller"):
        warn("to the caller")


def test_who_listens_last_is_told() -> None:
    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught, untold(), noted(told):
        warn("odd")
        warn("odd")
    assert told == ["odd", "odd"]
    assert not caught
