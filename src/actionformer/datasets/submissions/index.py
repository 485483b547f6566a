"""Which benchmarks files are made for: name -> module. Nothing is imported before somebody asks for it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from actionformer.core.errors import InputError
from actionformer.core.names import nearest

if TYPE_CHECKING:
    from actionformer.datasets.submissions.material import Material

BenchmarkName = str
"""The name of a benchmark with an evaluation server."""
SUBMISSIONS = {
    "activitynet13": "actionformer.datasets.submissions.activitynet13",
    "epic100": "actionformer.datasets.submissions.epic100",
    "ego4d": "actionformer.datasets.submissions.ego4d",
}
"""The module whose `content` makes what its file holds."""


def submission_content(name: str, material: Material) -> dict[str, Any]:
    """What a benchmark's file holds, as JSON has it.

    Raises:
        InputError: no benchmark of that name, or detections that its file cannot hold.
    """
    if name not in SUBMISSIONS:
        raise InputError(f"no benchmark {name!r}{nearest(name, list(SUBMISSIONS))}; there are {', '.join(SUBMISSIONS)}")
    found: dict[str, Any] = import_module(SUBMISSIONS[name]).content(material)
    return found
