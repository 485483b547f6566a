"""Tables of figures, each with a heading and a sentence: for terminals, for pages, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD

from actionformer.core.html import table, text
from actionformer.core.terminal import TextTable, visible

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1d2127; }
h2 { margin: 2rem 0 0; font-size: 1.1rem; } p { margin: .2rem 0 .6rem; color: #555c66; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: right; }
td:first-child, th:first-child { text-align: left; } th { border-bottom: 1px solid #c5cad1; font-weight: 600; }
.scroll { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { background: #16191d; color: #e4e7eb; } p { color: #a3abb6; } }
"""
"""Of pages with such tables."""


@dataclass(frozen=True)
class Figures:
    """A table: a heading, what it says in a sentence, names of columns, and rows whose first cell is a name."""

    title: str
    says: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def text_table(self, width: int = 10) -> TextTable:
        """For terminals; columns of figures are at least so wide."""
        made = TextTable("", *self.columns[1:], title=self.title, cut=("",), box=SIMPLE_HEAD, padding=0)
        for column in made.columns[1:]:
            column.justify, column.min_width = "right", width
        for row in self.rows:
            made.add_row(*row)
        made.caption = self.says
        made.min_width = max(map(len, (self.title, self.says)))
        return made

    def html(self, drawing: str = "") -> str:
        """A section of a page, with a drawing (HTML) above the table."""
        return (
            f"<h2>{text(self.title)}</h2><p>{text(self.says)}</p>{drawing}"
            f'<div class="scroll">{table(self.columns, self.rows)}</div>\n'
        )

    def markdown(self) -> str:
        """A section with the table."""
        rows = [self.columns, ("---", *("---:" for _ in self.columns[1:])), *self.rows]
        lines = [f"| {' | '.join(map(markdown_text, row))} |" for row in rows]
        return f"## {markdown_text(self.title)}\n\n{markdown_text(self.says)}\n\n" + "\n".join(lines) + "\n"


def markdown_text(given: str) -> str:
    """Any text as it is read in Markdown: no markup, no end of a cell."""
    return re.sub(r"([|*_`\[\]<&\\])", r"\\\1", visible(given))
