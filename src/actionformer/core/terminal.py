"""What people read in a terminal: names as they are, with what a terminal would obey made visible.

Names of classes, videos, files and folders are arbitrary text. All that is printed goes through here, and no other
module calls `print` or makes a console, a table or a column of text: no name is taken for markup, an emoji code or an
escape sequence.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import IO, Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from actionformer.core.errors import InputError

_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters: ESC, BEL, line breaks, ...
    "\u2028\u2029"  # line breaks of Unicode
    "\u202a-\u202e\u2066-\u2069"  # what follows runs from right to left
    "\ud800-\udfff"  # no characters: bytes of a file name that is not UTF-8
    "\ufeff\ufffe\uffff]"
)
WIDEST = 1000
"""Columns of a table that no terminal shows."""
_FORCED_BREAK = re.compile(r"\s*[\r\n]\s*")


def visible(text: object) -> str:
    r"""Text on one line in which nothing is obeyed: control characters and the like are written `\n`, `\x1b`."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], str(text))


def one_line(message: object) -> str:
    """A message on one line: an `InputError` is one, and a line break in it belongs to a name; others are joined."""
    text = str(message)
    return visible(text if isinstance(message, InputError) else _FORCED_BREAK.sub(" ", text.strip()))


def plain_console(file: IO[str] | None = None, *, width: int | None = None, quiet: bool = False) -> Console:
    """A console that takes text for text.

    Args:
        file: by default standard error.
        width: columns; by default the terminal's.
        quiet: prints nothing.
    """
    return _Console(file=file or sys.stderr, width=width, quiet=quiet, markup=False, highlight=False, emoji=False)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Whoever read has enough: no failure, which rich would make of it."""
        raise BrokenPipeError


def replace_closed() -> None:
    """Lets standard streams that were closed before this program began lead nowhere.

    Otherwise Python has none, and the next file that is opened gets the number under which libraries print.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def table_console(file: IO[str]) -> Console:
    """A console for tables: as wide as the terminal, and `WIDEST` where nobody looks, so that no name is cut."""
    return plain_console(file, width=None if file.isatty() else WIDEST)


def escape_what_lacks() -> None:
    """Lets standard output and error escape letters that their encoding lacks, where they would raise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(console: Console, message: object) -> None:
    """Prints a message on a line of its own, whichever console it is."""
    console.print(Text(visible(message)), soft_wrap=True)


@contextmanager
def telling_of_a_stop(console: Console, left: Callable[[], str]) -> Iterator[None]:
    """Says what Ctrl-C or SIGTERM leaves of the work within it.

    Args:
        console: where it is said.
        left: gives the words, "" where nothing is left that a later call could go on with.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if words := left():
            say(console, f"stopped: {words}")
        raise


def complain(message: object) -> None:
    """Prints a message on standard error: one line, however long."""
    print(visible(message), file=sys.stderr)


def tell(message: object) -> None:
    """Prints a line on standard output, at once."""
    print(visible(message), flush=True)


def emit(content: str) -> None:
    """Writes the content of a file to standard output; where that is a terminal, one that obeys nothing in it.

    Raises:
        InputError: its encoding lacks a character.
    """
    if sys.stdout.isatty():
        content = "\n".join(map(visible, content.split("\n")))
    try:
        content.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError as error:
        letter = visible(content[error.start : error.end][:1])
        raise InputError(
            f"standard output is {error.encoding} here, which has no {letter!r}: give --out, or set PYTHONUTF8=1"
        ) from error
    print(content, end="", flush=True)


def shortened(text: object, width: int) -> str:
    """Text on one line that is cut with an ellipsis where it is longer than so many columns."""
    line = Text(visible(text))
    line.truncate(width, overflow="ellipsis")
    return line.plain


def rendered(content: RenderableType, width: int) -> str:
    """What a console of so many columns would print, as text."""
    page = io.StringIO()
    plain_console(page, width=width).print(content)
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())


class TextTable(Table):
    """A table whose headings, title and cells are text.

    In columns whose headings are in `cut`, names that do not fit the console are cut with an ellipsis; where nobody
    looks, `WIDEST` columns fit them whole.
    """

    def __init__(self, *headers: str, title: str | None = None, cut: Collection[str] = (), **more: Any) -> None:
        self.cut = cut
        super().__init__(*headers, title=None if title is None else Text(visible(title), style="table.title"), **more)

    def add_column(self, header: Any = "", *arguments: Any, **more: Any) -> None:
        """Adds a column with a heading; texts that do not fit go on in the next line."""
        super().add_column(Text(visible(header)), *arguments, **{"overflow": "fold", **more})

    def add_row(self, *cells: Any, **more: Any) -> None:
        """Adds a row of texts."""
        headers = [str(column.header) for column in self.columns]
        texts = [Text(visible(cell)) for cell in cells]
        for text, header in zip(texts, headers, strict=False):
            if header in self.cut:
                text.no_wrap, text.overflow = True, "ellipsis"
        super().add_row(*texts, **more)


@contextmanager
def unheard() -> Iterator[None]:
    """Within it nobody hears what is written to standard error, by libraries in C++ either."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
