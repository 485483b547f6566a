"""ActivityNet annotations that are corrected: a row is replaced, and all else that the file holds stays as it is."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.formats.activitynet.annotations import parse_annotations

NamedSegment = tuple[float, float, str]
"""Start and end in seconds, class name."""
Row = Mapping[str, Any]


class CorrectedFile:
    """The content of an annotation file. An entry of a video that was corrected also holds a number, its "revision".

    Args:
        content: what the file holds; by default no video.
    """

    def __init__(self, content: Mapping[str, Any] | None = None) -> None:
        self._content = content or {"version": "1.0", "database": {}}
        self._database: Mapping[str, Any] = self._content["database"]

    @classmethod
    def read(cls, path: Path) -> CorrectedFile:
        """The content of a file.

        Raises:
            InputError: these are no annotations.
        """
        content = read_json(path)
        parse_annotations(content, source=str(path))
        return cls(content)

    def __contains__(self, video: str) -> bool:
        return video in self._database

    def rows(self, video: str) -> Sequence[Row]:
        """The actions of a video, {"segment", "label", ...} each; none of a video that the file does not have."""
        return rows_of(self._database, video)

    def revision(self, video: str) -> int:
        """How often a video was corrected."""
        number: int = self._database.get(video, {}).get("revision", 0)
        return number

    def corrected(self) -> set[str]:
        """The videos that were corrected."""
        return {video for video, entry in self._database.items() if entry.get("revision")}

    def annotations(self, video: str, class_names: tuple[str, ...], source: str) -> Annotations:
        """The annotations of one video, with labels that are indices into `class_names`; none if it has no entry."""
        if video not in self:
            return Annotations({}, class_names)
        return parse_annotations({"database": {video: self._database[video]}}, class_names, source)

    def with_actions(self, video: str, actions: Iterable[NamedSegment], new: Row) -> CorrectedFile:
        """The file with other actions of a video, by time; one that is as it was keeps its row, whatever that holds.

        Args:
            video: its id.
            actions: all that it has from now on.
            new: the entry of a video that the file does not have, without its actions.

        Raises:
            InputError: an action that cannot be.
        """
        entry = (self._database.get(video, new)) | {
            "annotations": replaced_rows(self._database, video, actions),
            "revision": self.revision(video) + 1,
        }
        return CorrectedFile({**self._content, "database": {**self._database, video: entry}})

    def text(self) -> str:
        """What is written."""
        return json.dumps(self._content, indent=1) + "\n"


def rows_of(database: Mapping[str, Any], video: str) -> Sequence[Row]:
    """The rows of a video in a database of annotations; none of a video that it does not have."""
    return database.get(video, {}).get("annotations") or []


def replaced_rows(database: Mapping[str, Any], video: str, actions: Iterable[NamedSegment]) -> list[Row]:
    """The rows of a video with other actions, by time; an action that is as it was keeps its row.

    Raises:
        InputError: an action that cannot be.
    """
    before = {(*row["segment"], row["label"]): row for row in rows_of(database, video)}
    every = (row for other in database for row in rows_of(database, other))
    ids = {row["label"]: row["label_id"] for row in every if row.get("label_id") is not None}
    rows = [before.get(action) or _row(action, ids) for action in actions]
    return sorted(rows, key=lambda row: list(row["segment"]))


def _row(action: NamedSegment, ids: Mapping[str, int]) -> dict[str, Any]:
    start, end, label = action
    if not (0 <= start < end < math.inf):
        raise InputError(
            f"{label} at {start:g} s: expected a start at 0 or later, before an end, in seconds, "
            f"found {start:g} and {end:g}"
        )
    row: dict[str, Any] = {"segment": [start, end], "label": label}
    return row | ({"label_id": ids[label]} if label in ids else {})
