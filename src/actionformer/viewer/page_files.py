"""The files of the page: those of the package, and Plotly's from its own."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from actionformer.errors import missing_extra

STATIC = Path(__file__).parent / "static"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
PLOTLY = "plotly.min.js"


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
