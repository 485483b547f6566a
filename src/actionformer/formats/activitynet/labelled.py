"""ActivityNet annotations while people make them: what is needed to go on stands beside the database.

    {"version": "1.0",
     "database": {id: {"subset", "duration", "fps", "annotations": [{"segment", "label"}]}},
     "labelling": {"classes": [name], "videos": {id: {"done", "decided": [[start, end, label]]}},
                   "renamed": {former name of a class: its name},
                   "entries": {id: what the database said of a video that is no longer in it}}}

The database holds the videos that have actions or are done, so a video that nobody has looked at is not in it, and one
in which nothing happens is. Readers of annotations take no notice of "labelling".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
            self._renamed = {str(former): str(name) for former, name in labelling.get("renamed", {}).items()}
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

    @cached_property
    def class_names(self) -> list[str]:
        """Those that were named, in this order, then others that actions have."""
        labels = (row["label"] for video in self._database for row in rows_of(self._database, video))
        return list(dict.fromkeys([*self._classes, *sorted(set(labels))]))

    def called_now(self, names: Sequence[str]) -> list[str]:
        """What classes of these names are called now: a name that no class has may be the former one of a class."""
        known = set(self.class_names)
        return [name if name in known else self._renamed.get(name, name) for name in names]

    def of(self, video: str) -> VideoLabels:
        """What is said of a video. One that the database has from elsewhere is done."""
        state = self._states.get(video, VideoLabels(done=video in self._database))
        rows = rows_of(self._database, video)
        return replace(state, actions=[(*row["segment"], row["label"]) for row in rows])

    def with_labels(self, video: str, labels: VideoLabels, new: Row) -> LabelledFile:
        """The file with other labels of a video.

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
        return self._with(database, self.class_names, {**self._states, video: labels}, entries=entries)

    def with_classes(self, names: Sequence[str]) -> LabelledFile:
        """The file with these classes in this order; any others that it has come last."""
        return self._with(self._database, list(dict.fromkeys([*names, *self.class_names])), self._states)

    def renamed(self, old: str, new: str) -> LabelledFile:
        """The file with another name of a class, for its actions, its drafts, and all that calls it by the old one."""

        def named(label: str) -> str:
            return new if label == old else label

        database = {
            video: {**entry, "annotations": [{**row, "label": named(row["label"])} for row in rows]}
            if (rows := rows_of(self._database, video))
            else entry
            for video, entry in self._database.items()
        }
        states = {
            video: replace(one, decided=[(start, end, named(label)) for start, end, label in one.decided])
            for video, one in self._states.items()
        }
        former = {name: named(now) for name, now in self._renamed.items() if name != new} | {old: new}
        return self._with(database, list(map(named, self.class_names)), states, renamed=former)

    def _with(
        self,
        database: Mapping[str, Any],
        classes: Sequence[str],
        states: Mapping[str, VideoLabels],
        *,
        entries: Mapping[str, Row] | None = None,
        renamed: Mapping[str, str] | None = None,
    ) -> LabelledFile:
        videos = {
            video: {"done": one.done, "decided": [list(draft) for draft in one.decided]}
            for video, one in states.items()
        }
        labelling = {"classes": list(classes), "videos": videos}
        if former := self._renamed if renamed is None else renamed:
            labelling["renamed"] = former
        if left := self._entries if entries is None else entries:
            labelling["entries"] = left
        return LabelledFile({**self._content, "database": database, "labelling": labelling})

    def text(self) -> str:
        """What is written."""
        return json.dumps(self._content, indent=1) + "\n"


def _state(row: Mapping[str, Any]) -> VideoLabels:
    decided = [(float(start), float(end), str(label)) for start, end, label in row["decided"]]
    return VideoLabels(done=bool(row["done"]), decided=decided)
