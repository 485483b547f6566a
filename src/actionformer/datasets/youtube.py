"""Ids of videos from YouTube, which files of features and some annotations write as `v_<id>`."""

from __future__ import annotations

PREFIX, LENGTH = "v_", 11
"""What names add to the id, and how long ids are, some of which begin so themselves (`v_UmAH95xls` of ActivityNet)."""


def youtube_id(name: str) -> str:
    """The id that a name has, with or without `v_` before it."""
    return name if len(name) == LENGTH else name.removeprefix(PREFIX)
