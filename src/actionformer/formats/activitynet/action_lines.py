"""What a live source writes as `json`: an object per line, as no results file is whole while actions still come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def stream_header() -> str:
    """The first line of a live source: there is none."""
    return ""


def action_line(action: Mapping[str, Any], source: str) -> str:
    """The line of an action {"label", "start", "end", "score", "wall_clock"?}, which does not name its source."""
    return json.dumps(action)


def provisional_line(actions: Sequence[Mapping[str, Any]]) -> str:
    """The line of all actions that are not final yet."""
    return json.dumps({"provisional": actions})
