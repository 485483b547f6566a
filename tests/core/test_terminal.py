import io
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress

from actionformer.core.errors import InputError
from actionformer.core.progress import TextColumn
from actionformer.core.terminal import (
    TextTable,
    emit,
    escape_what_lacks,
    one_line,
    plain_console,
    say,
    table_console,
    tell,
    visible,
)

HOSTILE = [
    "walk [left]",
    "[/x]",
    "[red]b[/red]",
    ":smile:",
    "[link=http://a]b",
    "video [dQw4w9WgXcQ].npy",
    "\\[a]",
    "[b",
]


def printed(thing: Any, console: Console | None = None) -> str:
    file = console.file if console else io.StringIO()
    assert isinstance(file, io.StringIO)
    (console or plain_console(file, width=200)).print(thing)
    return file.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
def test_markup_and_emoji_codes_are_text(name: str) -> None:
    table = TextTable(name, title=name)
    table.add_row(name)
    assert printed(table).count(name) == 3
    assert printed(name).strip() == name
    theirs = Console(file=io.StringIO(), width=200)  # one that reads markup
    say(theirs, name)
    assert printed(table, theirs).count(name) == 4


def test_what_a_terminal_obeys_is_made_visible() -> None:
    assert visible("a\x1b[31mb\x07\r\nc\x9b\u202ed\u2028\ud800\x00") == (
        r"a\x1b[31mb\x07\r\nc\x9b\u202ed\u2028\ud800\x00"
    )
    assert visible("Öffnen \u200d\u200c日本 👩‍🚒 C:\\new") == "Öffnen \u200d\u200c日本 👩‍🚒 C:\\new"


@given(st.text(alphabet=st.characters()))
def test_nothing_visible_is_obeyed(text: str) -> None:
    one = visible(text)
    assert one.isascii() or one.encode("utf-8")
    assert len(f"a{one}b".splitlines()) == 1
    assert all(letter >= " " for letter in one)
    assert visible(one) == one


def test_a_line_break_in_an_error_belongs_to_a_name() -> None:
    assert one_line(InputError("a\nb: not there")) == r"a\nb: not there"
    assert one_line("of another\n    program  \n") == "of another program"


def test_columns_of_progress_are_text() -> None:
    file = io.StringIO()
    with Progress(TextColumn(), TextColumn("note"), console=Console(file=file, width=200)) as progress:
        progress.add_task("[/x] :smile:", note="[b]\x1b")
    assert r"[/x] :smile: [b]\x1b" in file.getvalue()


def test_a_terminal_is_sent_no_escape_sequence_of_a_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    emit("a\x1b[2J\rb\nc\n")
    assert capsys.readouterr().out == "a\x1b[2J\rb\nc\n"  # a file is as it is
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    emit("a\x1b[2J\rb\nc\n")
    assert capsys.readouterr().out == "a\\x1b[2J\\rb\nc\n"


def test_an_output_that_lacks_a_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    with pytest.raises(InputError, match="standard output is ascii here, which has no 'Ö': give --out"):
        emit("Öffnen\n")


def test_a_table_that_nobody_looks_at_cuts_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    page, screen = io.StringIO(), io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setenv("COLUMNS", "40")
    table = TextTable("video", "why", cut=("video",), box=None)
    table.add_row("v" * 60, "broken")
    for file in (page, screen):
        table_console(file).print(table)
    assert "v" * 60 in page.getvalue()
    assert "v" * 60 not in screen.getvalue()


def test_letters_that_a_terminal_lacks_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    escape_what_lacks()
    tell("\u00d6ffnen")
    table = TextTable("\u65e5")
    plain_console(sys.stdout).print(table)
    sys.stdout.flush()
    assert written.getvalue().startswith(b"\\xd6ffnen\n")
    assert b"\\u65e5" in written.getvalue()
    with pytest.raises(InputError, match="standard output is ascii here"):
        emit("\u00d6")
