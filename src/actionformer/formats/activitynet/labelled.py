"""ActivityNet annotations while people make them: what is needed to go on stands beside the database.

    {"version": "1.0",
     "database": {id: {"subset", "duration", "fps", "annotations": [{"segment", "label"}]}},
     "labelling": {"classes": [name], "videos": {id: {"revision", "done", "decided": [[start, end, label]]}},
                   "entries": {id: what the database said of a video that is no longer in it}}}

The database holds the videos that have actions or are done, so a video that nobody has looked at is not in it, and one
in which nothing happens is. Readers of annotations take no notice of "labelling".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.formats.activitynet.annotations import parse_annotations
from actionformer.formats.activitynet.corrected import NamedSegment, Row, replaced_rows, rows_of


@dataclass(frozen=True)
class VideoLabels:
    """What people have said of one video."""

    actions: Sequence[NamedSegment] = ()
    done: bool = False
    """Whether all its actions are labelled. Without any, nothing happens in it."""
    decided: Sequence[NamedSegment] = ()
    """Drafts that were accepted or rejected, as they were offered."""
    revision: int = 0
    """How often this was saved."""


class LabelledFile:
    """The content of an annotation file that is being made; a change gives a new one.

    Args:
        content: what the file holds; by default no video.

    Raises:
        InputError: what it says of the labelling cannot be read.
    """

    def __init__(self, content: Mapping[str, Any] | None = None) -> None:
        self._content = content or {"version": "1.0", "database": {}}
        self._database: Mapping[str, Any] = self._content["database"]
        labelling = self._content.get("labelling", {})
        try:
            self._classes = [str(name) for name in labelling.get("classes", [])]
            self._states = {video: _state(row) for video, row in labelling.get("videos", {}).items()}
            self._entries = {video: dict(row) for video, row in labelling.get("entries", {}).items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f'"labelling" is not as `actionformer label` writes it ({error!r}): remove it from the file to begin '
                "with the annotations alone"
            ) from error

    @classmethod
    def read(cls, path: Path) -> LabelledFile:
        """The content of a file.

        Raises:
            InputError: these are no annotations of ActivityNet's layout.
        """
        content = read_json(path)
        begun = isinstance(content, Mapping) and content.get("database") == {} and "labelling" in content
        if not begun:  # of which no video is labelled yet, and readers of annotations refuse it
            parse_annotations(content, source=str(path))
        try:
            return cls(content)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    @property
    def videos(self) -> set[str]:
        """Those of which anything is said."""
        return self._database.keys() | self._states.keys()

    @property
    def class_names(self) -> list[str]:
        """Those that were named, in this order, then others that actions have."""
        labels = (row["label"] for video in self._database for row in rows_of(self._database, video))
        return list(dict.fromkeys([*self._classes, *sorted(set(labels))]))

    def of(self, video: str) -> VideoLabels:
        """What is said of a video. One that the database has from elsewhere is done."""
        state = self._states.get(video, VideoLabels(done=video in self._database))
        rows = rows_of(self._database, video)
        return replace(state, actions=[(*row["segment"], row["label"]) for row in rows])

    def with_labels(self, video: str, labels: VideoLabels, new: Row) -> LabelledFile:
        """The file with other labels of a video, whose revision is the next.

        Args:
            video: its id.
            labels: all that is said of it from now on.
            new: the entry of a video that the database never had, without its actions.

        Raises:
            InputError: an action that cannot be.
        """
        rows = replaced_rows(self._database, video, labels.actions)
        entries = dict(self._entries)
        entry = self._database.get(video) or entries.pop(video, new)
        database = {**self._database, video: entry | {"annotations": rows}}
        if not rows and not labels.done:
            left = database.pop(video)
            entries |= {} if entry is new else {video: left}
        state = replace(labels, revision=self.of(video).revision + 1)
        return self._with(database, self.class_names, {**self._states, video: state}, entries)

    def with_classes(self, names: Sequence[str]) -> LabelledFile:
        """The file with these classes in this order; any others that it has come last."""
        return self._with(self._database, list(dict.fromkeys([*names, *self.class_names])), self._states)

    def renamed(self, old: str, new: str) -> tuple[LabelledFile, list[str]]:
        """The file with another name of a class, and the videos with actions of it, whose revisions are the next."""
        database, states = dict(self._database), dict(self._states)
        of_class = [video for video in database if any(row["label"] == old for row in rows_of(database, video))]
        for video in of_class:
            rows = [{**row, "label": new} if row["label"] == old else row for row in rows_of(database, video)]
            database[video] = database[video] | {"annotations": rows}
            states[video] = replace(self.of(video), revision=self.of(video).revision + 1)
        names = [new if name == old else name for name in self.class_names]
        return self._with(database, names, states), of_class

    def _with(
        self,
        database: Mapping[str, Any],
        classes: Sequence[str],
        states: Mapping[str, VideoLabels],
        entries: Mapping[str, Row] | None = None,
    ) -> LabelledFile:
        videos = {
            video: {"revision": one.revision, "done": one.done, "decided": [list(draft) for draft in one.decided]}
            for video, one in states.items()
        }
        labelling = {"classes": list(classes), "videos": videos}
        if kept := self._entries if entries is None else entries:
            labelling["entries"] = kept
        return LabelledFile({**self._content, "database": database, "labelling": labelling})

    def text(self) -> str:
        """What is written."""
        return json.dumps(self._content, indent=1) + "\n"


def _state(row: Mapping[str, Any]) -> VideoLabels:
    decided = [(float(start), float(end), str(label)) for start, end, label in row["decided"]]
    return VideoLabels(done=bool(row["done"]), decided=decided, revision=int(row["revision"]))
