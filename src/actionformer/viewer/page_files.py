"""The files of the page, those of the package and Plotly's from its own; and how a video's id stands in an address."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote

from actionformer.core.errors import missing_extra

STATIC = Path(__file__).parent / "static"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
PLOTLY = "plotly.min.js"


def escaped_id(video: str) -> str:
    """Any text as one segment of a path, in letters that no server, browser or proxy takes for an escape or a folder.

    It is escaped as addresses are, with `~` for `%`; `escapedId` in api.js does the same.
    """
    return quote(video, safe="!'()*").replace("~", "%7E").replace(".", "%2E").replace("%", "~")


def unescaped_id(segment: str) -> str:
    """The text that such a segment stands for."""
    return unquote(segment.replace("~", "%"))


def static_files() -> dict[str, Path]:
    """Name -> file.

    Raises:
        InputError: Plotly is not installed.
    """
    package = find_spec("plotly")
    if package is None or package.origin is None:
        raise missing_extra("plotly", "view", "the viewer")
    files = {file.name: file for file in sorted(STATIC.iterdir()) if file.suffix in TYPES}
    return {**files, PLOTLY: Path(package.origin).parent / "package_data" / PLOTLY}
