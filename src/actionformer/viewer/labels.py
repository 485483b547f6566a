"""Labels that people give to videos on the page: actions, classes, and which videos are done."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from actionformer.core.errors import InputError
from actionformer.core.names import check_name, matched, spelled
from actionformer.formats.activitynet.corrected import NamedSegment
from actionformer.formats.activitynet.labelled import LabelledFile, VideoLabels
from actionformer.viewer.corrections import ConflictError
from actionformer.viewer.media.playability import Playability
from actionformer.viewer.playback import Playback
from actionformer.viewer.project import Labelling, Project, UnavailableError
from actionformer.viewer.shared_file import SharedFile
from actionformer.viewer.values import Answer, rounded


class Labels:
    """The labels of a project. Every save writes the whole file.

    Labels are numbers on the page. A number means the same class as long as the program runs, also after another name
    was given to it, here or by another program; classes that others wrote into the file come last.

    Args:
        project: what the page shows.
        labelling: where labels go.
        playback: the videos.

    Raises:
        InputError: (all methods) the file is broken.
    """

    def __init__(self, project: Project, labelling: Labelling, playback: Playback) -> None:
        self.project, self.labelling, self.playback = project, labelling, playback
        self._file = SharedFile(labelling.file, LabelledFile.read, LabelledFile())
        self._names = list(project.class_names)

    def class_names(self) -> list[str]:
        """All classes, those of drafts too."""
        content = self._file.now()
        self._names = content.called_now(self._names)
        own = matched(content.class_names, self._names)
        self._names += [name for name in content.class_names if name not in own]
        return list(self._names)

    def of(self, video: str) -> Answer:
        """What is said of a video now, the revision that a change starts from, and the names that it needs.

        Raises:
            UnavailableError: the video cannot be opened.
        """
        self._openable(video)
        labels, names = self._file.now().of(self._own(video)), self.class_names()
        own = matched({label for *_, label in labels.actions}, names)
        said = {
            "actions": [
                {"segment": [start, end], "label": names.index(own[label])} for start, end, label in labels.actions
            ],
            "done": labels.done,
            "decided": self._decided(video, labels),
        }
        return said | {"revision": _revision(said), "file": self._file.path.name, "classes": names}

    def save(
        self, video: str, actions: Sequence[Mapping[str, Any]], decided: Sequence[int], *, done: bool, revision: int
    ) -> Answer:
        """Replaces what is said of a video and writes the file.

        Args:
            video: its id.
            actions: each {"segment": [start, end] in seconds, "label": class number}.
            decided: numbers of the drafts that were accepted or rejected.
            done: whether all of its actions are labelled.
            revision: the one that the change started from.

        Raises:
            ConflictError: the video was labelled since that revision.
            InputError: an action that cannot be, or a file that cannot be written.
        """
        playability = self._openable(video)
        with self._file.changing() as content:
            own, names = self._own(video), self.class_names()
            if revision != self.of(video)["revision"]:
                raise ConflictError("this video was labelled elsewhere in the meantime: load it again")
            every = {*self._earlier(video, content.of(own)), *self._offered(video, decided)}
            labels = VideoLabels([_named(one, names) for one in actions], done, sorted(every))
            about = {"duration": rounded(playability.duration), "fps": rounded(playability.fps)}
            content = content.with_labels(own, labels, {"subset": self.labelling.subset, **about})
            self._file.write(content.with_classes(names))
            return self.of(video)

    def add_class(self, name: str) -> Answer:
        """One class more: its number, and all classes.

        Raises:
            InputError: it is no name, or one that another class has.
        """
        with self._file.changing() as content:
            name = self._new_name(name)
            self._file.write(content.with_classes([*self.class_names(), name]))
            names = self.class_names()
            return {"label": names.index(name), "classes": names}

    def rename_class(self, label: int, name: str) -> Answer:
        """Another name for a class: all classes.

        Raises:
            InputError: there is no such class, or it is no name, or one that another class has.
        """
        with self._file.changing() as content:
            old = _name_of(label, self.class_names())
            name = self._new_name(name, old)
            names = [name if one == old else one for one in self._names]
            self._file.write(content.renamed(old, name).with_classes(names))
            self._names = names
            return {"classes": self.class_names()}

    def progress(self) -> dict[str, Answer]:
        """Video -> how many actions and drafts to decide about it has, and whether it is done."""
        content = self._file.now()
        own = matched(self.project.ids, content.videos)
        rows = {}
        for video in self.project.ids:
            labels = content.of(own.get(video, video))
            rows[video] = {
                "actions": len(labels.actions),
                "drafts": self._to_decide(video, labels),
                "done": labels.done,
            }
        return rows

    def lengths(self) -> dict[str, Answer]:
        """Video -> seconds, or why it cannot be opened."""
        rows = {}
        for video in self.project.ids:
            playability, why_not = self._opened(video)
            rows[video] = {"duration": rounded(playability.duration) if playability else None, "why_not": why_not}
        return rows

    def _opened(self, video: str) -> tuple[Playability | None, str | None]:
        """How a video is played, or None and why it cannot be opened, which names its file as seen from the folder."""
        playability, why_not = self.playback.playability(video)
        assert self.project.videos is not None
        return playability, why_not and why_not.replace(f"{self.project.videos.folder}{os.sep}", "")

    def _openable(self, video: str) -> Playability:
        playability, why_not = self._opened(self.project.check(video))
        if playability is None:
            raise UnavailableError(f"this video cannot be opened, so it cannot be labelled: {why_not}")
        return playability

    def _own(self, video: str) -> str:
        """What the file calls a video."""
        return matched([video], self._file.now().videos).get(video, video)

    def _new_name(self, name: str, old: str | None = None) -> str:
        name = name.strip()
        check_name(name, "the class")
        if other := matched([name], [one for one in self.class_names() if one != old]).get(name):
            raise InputError(f"there is a class {other!r} already: give this one another name")
        return spelled(name)

    def _offered(self, video: str, drafts: Sequence[int]) -> list[NamedSegment]:
        """Drafts as a file names them."""
        found = self.project.detections.get(video)
        names = self.class_names()
        rows = [] if found is None else zip(rounded(found.segments), found.labels.tolist(), strict=True)
        every = [(start, end, names[label]) for (start, end), label in rows]
        if wrong := [one for one in drafts if not 0 <= one < len(every)]:
            raise InputError(f"there is no draft {wrong[0]}")
        return [every[one] for one in drafts]

    def _decided(self, video: str, labels: VideoLabels) -> list[int]:
        """Numbers of the drafts that were accepted or rejected."""
        if not labels.decided:
            return []
        decided = set(labels.decided)
        every = self._offered(video, range(len(self.project.detections.get(video, ()))))
        return [number for number, draft in enumerate(every) if draft in decided]

    def _earlier(self, video: str, labels: VideoLabels) -> set[NamedSegment]:
        """Decisions about drafts that are not offered today."""
        return set(labels.decided) - set(self._offered(video, self._decided(video, labels)))

    def _to_decide(self, video: str, labels: VideoLabels) -> int:
        """How many drafts the page shows at first."""
        found = self.project.detections.get(video)
        if found is None:
            return 0
        decided = self._decided(video, labels)
        return int((np.delete(found.scores, decided) >= self.labelling.min_score).sum())


def _revision(said: Answer) -> int:
    """A number that is another where something else is said of a video, whoever said it."""
    return crc32(json.dumps(said).encode())


def _named(action: Mapping[str, Any], names: Sequence[str]) -> NamedSegment:
    start, end = rounded(action["segment"])
    return start, end, _name_of(action["label"], names)


def _name_of(label: int, names: Sequence[str]) -> str:
    if not 0 <= label < len(names):
        raise InputError(f"there is no class {label}")
    return names[label]
