"""Pages of HTML that need nothing else: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from actionformer.core.terminal import visible


def text(given: str) -> str:
    """Any text as it is read: never markup, and without characters that show nothing."""
    return escape(visible(given))


def document(title: str, style: str, body: str) -> str:
    """A page.

    Args:
        title: as text.
        style: rules for all it shows.
        body: HTML.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title><style>{style}</style></head><body>\n<h1>{text(title)}</h1>\n{body}\n</body></html>\n"
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts."""
    head = "".join(f"<th>{text(heading)}</th>" for heading in headings)
    body = "\n".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"
