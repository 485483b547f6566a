"""Annotations as they were corrected on the page, in a file of their own; the original is only read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.core.files import version_of, write_whole
from actionformer.core.locks import lock
from actionformer.formats.activitynet.corrected import CorrectedFile, NamedSegment
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
        self._content = CorrectedFile()
        self._written: tuple[int, int] | None = None
        if about.annotations_file is not None and not self.file.is_file():
            self._content = CorrectedFile.read(about.annotations_file)
        self._names = {name: label for label, name in enumerate(about.class_names)}

    def _now(self) -> CorrectedFile:
        """What the file has now."""
        with self._lock:
            written = version_of(self.file)
            if written is not None and written != self._written:
                self._content, self._written = CorrectedFile.read(self.file), written
            return self._content

    def of(self, video: str) -> dict[str, Any]:
        """The actions of a video as they are now, the revision that a correction starts from, and the file's name."""
        self.about.check(video)
        content = self._now()
        actions = [{"segment": row["segment"], "label": self._label(row["label"])} for row in content.rows(video)]
        return {"actions": actions, "revision": content.revision(video), "file": self.file.name}

    def videos(self) -> set[str]:
        """Those that were corrected."""
        return self._now().corrected()

    def annotations(self, video: str) -> Annotations:
        """The annotations of one video as they are now, with the project's classes; none if it has no entry."""
        return self._now().annotations(video, self.about.class_names, str(self.file))

    def _label(self, name: str) -> int:
        if name not in self._names:
            raise InputError(f"{self.file}: class {name!r} does not belong to this project")
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
                raise ConflictError("this video was corrected elsewhere in the meantime: load it again")
            content = self._now()
            new = {} if video in content else {"subset": NEW_SUBSET, "duration": self._duration(video)}
            content = content.with_actions(video, map(self._named, actions), new)
            write_whole(self.file, content.text())
            self._content, self._written = content, version_of(self.file)
            return self.of(video)

    def _named(self, action: Mapping[str, Any]) -> NamedSegment:
        label = action["label"]
        if not 0 <= label < len(self._names):
            raise InputError(f"there is no class {label}")
        start, end = action["segment"]
        return start, end, self.about.class_names[label]


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
