"""Annotations: which actions happen when in which video, whatever file they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.core.names import matched, nearest, spelled

MOST_SHARED = 0.01
"""Share of annotated time in which several actions may go on where actions are said to come one at a time."""


@dataclass(frozen=True, eq=False)
class AnnotatedVideo:
    """One annotated video; without actions it is a background video."""

    id: str
    subset: str
    duration: float | None
    """Seconds."""
    fps: float | None
    """Frames per second."""
    segments: NDArray[np.float64]
    """(N, 2) starts and ends, seconds."""
    labels: NDArray[np.int64]
    """(N,) indices into the class names."""
    group: str | None = None
    """What the video shares with others, such as a person or a recording day; a split keeps them together."""


@dataclass(frozen=True, eq=False)
class Annotations:
    """The videos of an annotation file and the names of their classes."""

    videos: dict[str, AnnotatedVideo]
    class_names: tuple[str, ...]
    source: str = "annotations"
    """Where they came from, for messages."""
    unnumbered: tuple[str, ...] = ()
    """Classes that the file gives no number: theirs follow the alphabet."""

    def __len__(self) -> int:
        return len(self.videos)

    @property
    def subset_names(self) -> list[str]:
        """The names of the subsets there are, sorted."""
        return sorted({video.subset for video in self.videos.values()})

    @property
    def one_at_a_time(self) -> bool:
        """Whether hardly any annotated time, `MOST_SHARED` of it at most, is of two actions of one video."""
        both = all_ = 0.0
        for video in self.videos.values():
            segments = video.segments[np.argsort(video.segments[:, 0], kind="stable")]
            ends = np.maximum.accumulate(segments[:, 1]) if len(segments) else segments[:, 1]
            covered = np.minimum(ends[:-1], segments[1:, 1]) - segments[1:, 0]
            both += float(np.maximum(covered, 0).sum())
            all_ += float((segments[:, 1] - segments[:, 0]).sum())
        return both <= MOST_SHARED * all_

    def has_subset(self, names: str | Sequence[str]) -> bool:
        """Whether a video belongs to one of these subsets; case does not matter."""
        return not _wanted(names).isdisjoint(map(_subset, self.subset_names))

    def subset(self, names: str | Sequence[str]) -> Annotations:
        """The videos of one subset or of several; case does not matter. Class names stay all.

        Raises:
            InputError: a name that no video has; those that exist are listed.
        """
        for name in [names] if isinstance(names, str) else names:
            if not self.has_subset(name):
                raise InputError(
                    f"{self.source}: no video in subset {name!r}; there are {', '.join(self.subset_names)}"
                )
        wanted = _wanted(names)
        chosen = {key: video for key, video in self.videos.items() if _subset(video.subset) in wanted}
        return replace(self, videos=chosen)


def _wanted(names: str | Sequence[str]) -> set[str]:
    return set(map(_subset, [names] if isinstance(names, str) else names))


def _subset(name: str) -> str:
    """What names of one subset have in common."""
    return spelled(spelled(name).casefold())


@dataclass(frozen=True)
class NamedAction:
    """An action as a file has it, before its class has a number."""

    start: float
    end: float
    """Seconds."""
    label: str
    label_id: int | None
    """The number that the file gives to the class."""
    where: str
    """The place in the file, for messages."""


@dataclass(frozen=True)
class NamedVideo:
    """A video as a file has it, see `AnnotatedVideo`."""

    id: str
    subset: str
    duration: float | None
    fps: float | None
    actions: Sequence[NamedAction]
    group: str | None = None


def with_class_numbers(
    videos: Sequence[NamedVideo], class_names: Sequence[str] | None = None, source: str = "annotations"
) -> Annotations:
    """The annotations of videos whose actions name their classes.

    Without `class_names` a label has the id that any of its actions gives; the others, sorted by name, take the lowest
    free ids. An id that no label has is named `class_<id>`.

    Args:
        videos: as a file has them, in its order.
        class_names: a trained model's classes; labels become indices into them, by name.
        source: the file, for messages.

    Raises:
        InputError: an inconsistent `label_id`, or a label that is not in `class_names`.
    """
    actions = [action for video in videos for action in video.actions]
    labels = {action.label for action in actions}
    given = _given_ids(actions)
    names = tuple(class_names) if class_names is not None else _class_names(labels, given)
    numbers = {name: i for i, name in enumerate(names)}
    ids = {label: numbers[name] for label, name in matched(labels, names).items()}
    for label in sorted(labels - ids.keys()):
        raise InputError(f"{source}: the model has no class {label!r}{nearest(label, names)}")
    numbered = {video.id: _numbered(video, ids) for video in videos}
    return Annotations(numbered, names, source, tuple(sorted(labels - given.keys())))


def _given_ids(actions: Sequence[NamedAction]) -> dict[str, int]:
    """Label -> id where the file gives one, checked to be one to one."""
    ids: dict[str, int] = {}
    labels: dict[int, str] = {}
    for action in actions:
        if action.label_id is None:
            continue
        known_id = ids.setdefault(action.label, action.label_id)
        known_label = labels.setdefault(action.label_id, action.label)
        if known_id != action.label_id:
            raise InputError(
                f"{action.where}: label {action.label!r} has label_id {action.label_id}, elsewhere {known_id}"
            )
        if known_label != action.label:
            raise InputError(
                f"{action.where}: label_id {action.label_id} belongs to {action.label!r}, elsewhere to {known_label!r}"
            )
    return ids


def _class_names(labels: set[str], given: dict[str, int]) -> tuple[str, ...]:
    names = {label_id: label for label, label_id in given.items()}
    free = (i for i in range(len(labels) + len(names)) if i not in names)
    names |= dict(zip(free, sorted(labels - given.keys()), strict=False))
    return tuple(names.get(i) or _hole_name(i, labels) for i in range(max(names, default=-1) + 1))


def _hole_name(label_id: int, taken: set[str]) -> str:
    name = f"class_{label_id}"
    while name in taken:
        name += "_"
    return name


def _numbered(video: NamedVideo, ids: Mapping[str, int]) -> AnnotatedVideo:
    segments = np.array([(action.start, action.end) for action in video.actions], dtype=np.float64).reshape(-1, 2)
    labels = np.array([ids[action.label] for action in video.actions], dtype=np.int64)
    return AnnotatedVideo(video.id, video.subset, video.duration, video.fps, segments, labels, video.group)
