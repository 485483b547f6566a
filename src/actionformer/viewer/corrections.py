"""Annotations as they were corrected on the page, in a file of their own; the original is only read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.core.files import read_json, version_of, write_whole
from actionformer.core.locks import lock
from actionformer.formats.activitynet.annotations import parse_annotations
from actionformer.viewer.project import Project

NEW_SUBSET = "training"
"""The subset of videos that no annotations file has: a corrected file is to be trained on."""


class ConflictError(InputError):
    """A correction of something that has been corrected meanwhile."""


class Corrections:
    """The corrected annotations of a project. Every save writes the whole file.

    What was corrected before is gone on with, also by another viewer meanwhile; else the beginning are the annotations
    of the project, with all that their file holds, other subsets too.

    Args:
        about: the project.
        duration: video -> seconds, for videos that the annotations do not have.

    Raises:
        InputError: (all methods) the file of corrections is broken.
    """

    def __init__(self, about: Project, duration: Callable[[str], float]) -> None:
        self.about = about
        self.file = about.corrections_file
        self._duration = duration
        self._lock = RLock()
        self._content: dict[str, Any] = {"version": "1.0", "database": {}}
        self._written: tuple[int, int] | None = None
        if about.annotations_file is not None and not self.file.is_file():
            self._content = _read(about.annotations_file)
        self._names = {name: label for label, name in enumerate(about.class_names)}

    def _database(self) -> dict[str, Any]:
        """Video -> entry, as the file has it now."""
        with self._lock:
            written = version_of(self.file)
            if written is not None and written != self._written:
                self._content = _read(self.file)
                self._written = written
            database: dict[str, Any] = self._content["database"]
            return database

    def of(self, video: str) -> dict[str, Any]:
        """The actions of a video as they are now, the revision that a correction starts from, and the file's name."""
        entry = self._database().get(self.about.check(video), {})
        actions = entry.get("annotations") or []
        return {
            "actions": [{"segment": one["segment"], "label": self._label(one["label"])} for one in actions],
            "revision": entry.get("revision", 0),
            "file": self.file.name,
        }

    def videos(self) -> set[str]:
        """Those that were corrected."""
        return {video for video, entry in self._database().items() if entry.get("revision")}

    def annotations(self, video: str) -> Annotations:
        """The annotations of one video as they are now, with the project's classes; none if it has no entry."""
        database = self._database()
        if video not in database:
            return Annotations({}, self.about.class_names)
        return parse_annotations({"database": {video: database[video]}}, self.about.class_names, str(self.file))

    def _label(self, name: str) -> int:
        if name not in self._names:
            raise InputError(f"{self.file}: class {name!r} is none of this project's")
        return self._names[name]

    def save(self, video: str, actions: Sequence[Mapping[str, Any]], revision: int) -> dict[str, Any]:
        """Replaces the actions of a video and writes the file. What is not changed of an action stays in its row.

        Args:
            video: its id.
            actions: each {"segment": [start, end] in seconds, "label": class id}.
            revision: the one that the correction started from.

        Raises:
            ConflictError: the video has been corrected since that revision.
            InputError: an action that cannot be, or a file that cannot be written.
        """
        with self._lock, _alone_in(self.file.parent):
            if revision != self.of(video)["revision"]:
                raise ConflictError("this video was corrected elsewhere meanwhile: load it again")
            database = self._database()
            entry = database.get(video) or {"subset": NEW_SUBSET, "duration": self._duration(video)}
            rows = self._rows(actions, entry.get("annotations") or [], _ids(database))
            entry = entry | {"annotations": rows, "revision": revision + 1}
            content = self._content | {"database": database | {video: entry}}
            write_whole(self.file, json.dumps(content, indent=1) + "\n")
            self._content, self._written = content, version_of(self.file)
            return self.of(video)

    def _rows(
        self, actions: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]], ids: Mapping[str, int]
    ) -> list[Mapping[str, Any]]:
        """The rows of the file, by time; an action that is as it was keeps its row, whatever that holds."""
        known = {(*row["segment"], row["label"]): row for row in before}
        rows = []
        for action in actions:
            row = self._row(action, ids)
            as_before = known.get((*row["segment"], row["label"]))
            if as_before is None:
                _check(row)
            rows.append(as_before or row)
        return sorted(rows, key=lambda row: list(row["segment"]))

    def _row(self, action: Mapping[str, Any], ids: Mapping[str, int]) -> dict[str, Any]:
        label = action["label"]
        if not 0 <= label < len(self._names):
            raise InputError(f"there is no class {label}")
        name = self.about.class_names[label]
        row: dict[str, Any] = {"segment": list(action["segment"]), "label": name}
        if (known := ids.get(name)) is not None:
            row["label_id"] = known
        return row


def corrected_videos(corrections: Callable[[], Corrections]) -> set[str]:
    """The videos that were corrected. A file of corrections that is broken is told when one corrects."""
    try:
        return corrections().videos()
    except InputError:
        return set()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One viewer at a time, where there is a folder yet, and the system can lock it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # writing into it makes it, or says why not
        yield
        return
    try:
        lock(handle, wait=True)
        yield
    finally:
        os.close(handle)


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = read_json(file)
    parse_annotations(content, source=str(file))
    return content


def _check(row: Mapping[str, Any]) -> None:
    start, end = row["segment"]
    if not (0 <= start < end < math.inf):
        raise InputError(
            f"{row['label']} at {start:g} s: expected a start at 0 or later, before an end, in seconds, "
            f"found {start:g} and {end:g}"
        )


def _ids(database: Mapping[str, Any]) -> dict[str, int]:
    """The ids that a file gives to classes."""
    actions = (one for entry in database.values() for one in entry.get("annotations") or [])
    return {one["label"]: one["label_id"] for one in actions if one.get("label_id") is not None}
