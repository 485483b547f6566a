"""Annotations as they were corrected on the page, in a file of their own; the original is only read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.formats.activitynet.corrected import CorrectedFile, NamedSegment
from actionformer.viewer.project import Project
from actionformer.viewer.shared_file import SharedFile

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
        self._duration = duration
        begin, original = CorrectedFile(), about.annotations_file
        if original is not None and not about.corrections_file.is_file():
            begin = CorrectedFile.read(original)
        self._file = SharedFile(about.corrections_file, CorrectedFile.read, begin)
        self._names = {name: label for label, name in enumerate(about.class_names)}

    def of(self, video: str) -> dict[str, Any]:
        """The actions of a video as they are now, the revision that a correction starts from, and the file's name."""
        self.about.check(video)
        content = self._file.now()
        actions = [{"segment": row["segment"], "label": self._label(row["label"])} for row in content.rows(video)]
        return {"actions": actions, "revision": content.revision(video), "file": self._file.path.name}

    def videos(self) -> set[str]:
        """Those that were corrected."""
        return self._file.now().corrected()

    def annotations(self, video: str) -> Annotations:
        """The annotations of one video as they are now, with the project's classes; none if it has no entry."""
        return self._file.now().annotations(video, self.about.class_names, str(self._file.path))

    def _label(self, name: str) -> int:
        if name not in self._names:
            raise InputError(f"{self._file.path}: class {name!r} does not belong to this project")
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
        with self._file.changing() as content:
            if revision != self.of(video)["revision"]:
                raise ConflictError("this video was corrected elsewhere in the meantime: load it again")
            new = {} if video in content else {"subset": NEW_SUBSET, "duration": self._duration(video)}
            self._file.write(content.with_actions(video, map(self._named, actions), new))
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
