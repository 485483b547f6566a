"""Annotations as they were corrected on the page, in a file of their own; the original is only read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

from actionformer.data.annotations import Annotations, parse_annotations
from actionformer.errors import InputError
from actionformer.files import read_json, write_whole
from actionformer.viewer.project import Project

NEW_SUBSET = "training"
"""The subset of videos that no annotations file has: a corrected file is to be trained on."""


class ConflictError(InputError):
    """A correction of something that has been corrected meanwhile."""


class Corrections:
    """The corrected annotations of a project. Every save writes the whole file.

    What was corrected before is gone on with; else the beginning are the annotations of the project, with all that
    their file holds, other subsets too.
    """

    def __init__(self, about: Project) -> None:
        self.about = about
        self._lock = Lock()
        self._content = self._beginning()
        self._names = {name: label for label, name in enumerate(about.class_names)}

    def _beginning(self) -> dict[str, Any]:
        for file in (self.about.corrections_file, self.about.annotations_file):
            if file is not None and file.is_file():
                content: dict[str, Any] = read_json(file)
                parse_annotations(content, source=str(file))
                return content
        return {"version": "1.0", "database": {}}

    @property
    def _database(self) -> dict[str, Any]:
        database: dict[str, Any] = self._content["database"]
        return database

    def of(self, video: str) -> dict[str, Any]:
        """The actions of a video as they are now, and the revision that a correction starts from."""
        entry = self._database.get(self.about.check(video), {})
        actions = entry.get("annotations") or []
        return {
            "actions": [{"segment": one["segment"], "label": self._label(one["label"])} for one in actions],
            "revision": entry.get("revision", 0),
        }

    def corrected(self, video: str) -> bool:
        """Whether a video was corrected here."""
        return bool(self._database.get(video, {}).get("revision"))

    def annotations(self, video: str) -> Annotations:
        """The annotations of one video as they are now, with the project's classes; none if it has no entry."""
        if video not in self._database:
            return Annotations({}, self.about.class_names)
        entry = {video: self._database[video]}
        return parse_annotations({"database": entry}, self.about.class_names, str(self.about.corrections_file))

    def _label(self, name: str) -> int:
        if name not in self._names:
            raise InputError(f"{self.about.corrections_file}: class {name!r} is none of this project's")
        return self._names[name]

    def save(self, video: str, actions: Sequence[Mapping[str, Any]], revision: int) -> dict[str, Any]:
        """Replaces the actions of a video and writes the file.

        Args:
            video: its id.
            actions: each {"segment": [start, end] in seconds, "label": class id}.
            revision: the one that the correction started from.

        Raises:
            ConflictError: the video has been corrected since that revision.
            InputError: an action that cannot be, or a file that cannot be written.
        """
        with self._lock:
            if revision != self.of(video)["revision"]:
                raise ConflictError("this video was corrected elsewhere meanwhile: load it again")
            ids = self._ids()
            rows = [self._row(action, number, ids) for number, action in enumerate(actions)]
            entry = self._database.get(video) or {"subset": NEW_SUBSET, "duration": self.about.duration(video)}
            entry = entry | {"annotations": sorted(rows, key=lambda row: row["segment"]), "revision": revision + 1}
            content = self._content | {"database": self._database | {video: entry}}
            write_whole(self.about.corrections_file, json.dumps(content, indent=1) + "\n")
            self._content = content
            return self.of(video)

    def _row(self, action: Mapping[str, Any], number: int, ids: Mapping[str, int]) -> dict[str, Any]:
        (start, end), label = action["segment"], action["label"]
        if not (math.isfinite(start) and math.isfinite(end) and start < end):
            raise InputError(
                f"action {number + 1}: expected a start before an end, in seconds, found {start} and {end}"
            )
        if not 0 <= label < len(self._names):
            raise InputError(f"action {number + 1}: there is no class {label}")
        name = self.about.class_names[label]
        row: dict[str, Any] = {"segment": [start, end], "label": name}
        if (known := ids.get(name)) is not None:
            row["label_id"] = known
        return row

    def _ids(self) -> dict[str, int]:
        """The ids that the file gives to classes."""
        actions = (one for entry in self._database.values() for one in entry.get("annotations") or [])
        return {one["label"]: one["label_id"] for one in actions if one.get("label_id") is not None}
