"""Which videos belong together: of one person, one camera or one recording."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import Annotations
from actionformer.core.words import plural

LEAST_GROUPS = 3
"""Groups that ids must tell for them to count: of two, one would be half of the data."""


@dataclass(frozen=True)
class Groups:
    """A group for every video; a video that shares nothing is alone in its group."""

    of: dict[str, str]
    """Video -> the name of its group."""
    by: str | None
    """What tells them, in words; None if every video is alone."""
    guessed: bool = False
    """Whether they were read off the ids of the videos."""
    one: bool = False
    """Whether all videos are stated to be of one group, which tells none of them from another: each is alone then."""

    def __str__(self) -> str:
        """What stays together, in words."""
        return f"videos of one group stay together: {plural(len(set(self.of.values())), 'group')} by {self.by}"

    def among(self, ids: Iterable[str]) -> int:
        """How many groups some of the videos are of; 0 where nothing tells groups."""
        if self.by is None:
            return int(self.one)
        return len({self.of[id_] for id_ in ids})

    def numbers(self, ids: Iterable[str], least: int = 2) -> NDArray[np.int64]:
        """(N,) the number of the group of each of some videos, from 0, in the order of names.

        Args:
            ids: of the videos.
            least: where they are of fewer groups, each video counts as a group.
        """
        ids = list(ids)
        names = [self.of[id_] for id_ in ids]
        if len(set(names)) < least:
            names = ids
        numbers = {name: number for number, name in enumerate(sorted(set(names)))}
        return np.array([numbers[name] for name in names], dtype=np.int64)


def groups_of(annotations: Annotations) -> Groups:
    """The groups that annotations state (`group` or `subject` of a video), else those that ids tell.

    Where some videos state a group, those that do not are alone. Ids tell more the more there are: take those of all
    annotated videos, also where only some of these are evaluated.
    """
    stated = {id_: video.group for id_, video in annotations.videos.items() if video.group is not None}
    if stated:
        # a video alone may not share the name of a group, so both are told apart by what stands before
        alone = {id_: f"video {id_}" for id_ in annotations.videos if id_ not in stated}
        if not alone and len(set(stated.values())) == 1:
            return Groups({id_: id_ for id_ in stated}, None, one=True)
        return Groups({id_: f"group {name}" for id_, name in stated.items()} | alone, "the field `group`")
    ids = list(annotations.videos)
    if (found := shared_part(ids)) is not None:
        of, example = dict(zip(ids, found, strict=True)), ids[0]
        return Groups(of, f"the part of their ids that is {found[0]!r} in {example!r}", guessed=True)
    return Groups({id_: id_ for id_ in ids}, None)


def with_others(annotations: Annotations, others: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The groups of annotated videos and of others, of which ids alone can tell.

    Where groups are stated, or the ids of annotated videos tell them, the part of these ids that goes with the group
    tells it of the others too.

    Returns:
        Video -> the name of its group; and those of the others whose ids do not tell, each alone.
    """
    ids, groups = list(annotations.videos), groups_of(annotations)
    together = [*ids, *others]
    if groups.by is None or groups.guessed:
        found = shared_part(together)
        if found is not None:
            return dict(zip(together, found, strict=True)), []
    alone = {id_: f"video {id_}" for id_ in others}
    if groups.by is None:
        return groups.of | alone, []
    place = _place_of(groups.of)
    if place is None:
        return groups.of | alone, list(others)
    group_of = {_parts(id_)[place]: group for id_, group in groups.of.items()}
    kinds = {_letters(part) for part in group_of}
    told: dict[str, str] = {}
    for id_ in others:
        parts = _parts(id_)
        if place < len(parts) and (None in kinds or _letters(parts[place]) in kinds):
            told[id_] = group_of.get(parts[place], f"new {parts[place]}")
    return groups.of | alone | told, [id_ for id_ in others if id_ not in told]


def _place_of(groups: Mapping[str, str]) -> int | None:
    """The place of the part of ids that goes with the group: one part for each group, and fewer than there are ids."""
    parts = {id_: _parts(id_) for id_ in groups}
    for place in range(min(map(len, parts.values()), default=0)):
        pairs = {(one[place], groups[id_]) for id_, one in parts.items()}
        names = {name for name, _ in pairs}
        if len(pairs) == len(names) == len(set(groups.values())) < len(groups):
            return place
    return None


def shared_part(ids: Sequence[str]) -> list[str] | None:
    """The part of each id that names what it shares with others, or None.

    Ids are cut at everything that is no letter and no digit. A part counts if it stands at the same place in all ids,
    is the same letters with a number in all of them (`subject01`, `P03`, `S1`), and it tells at least three groups that
    have two videos or more on average. A number alone counts if what stands before it is alike in all ids: else it
    may number what stands there. The first such part is taken.

        subject01_run2, subject01_run3, subject02_run1, ...   ->  subject01, subject01, subject02, ...
        exp01_user01, exp02_user01, exp03_user02, ...         ->  user01, user01, user02, ...
        walk_01, walk_02, run_01, ...                         ->  None: `walk` has no number, `01` numbers its videos
    """
    parts = [_parts(id_) for id_ in ids]
    for place in range(min(map(len, parts), default=0)):
        found = [one[place] for one in parts]
        kinds = {_letters(one) for one in found}
        if kinds == {""} and len({tuple(one[:place]) for one in parts}) > 1:
            continue
        if len(kinds) == 1 and None not in kinds and LEAST_GROUPS <= len(set(found)) <= len(ids) / 2:
            return found
    return None


def _parts(id_: str) -> list[str]:
    return re.findall(r"[^\W_]+", id_)


def _letters(part: str) -> str | None:
    """The letters before the number that a part ends with; None if it is no such part."""
    match = re.fullmatch(r"([^\W\d_]*)\d+", part)
    return None if match is None else match[1].casefold()
