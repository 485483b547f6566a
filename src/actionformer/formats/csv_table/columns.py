"""What the columns of a table are, told by their names or by the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal, get_args

from actionformer.core.errors import InputError
from actionformer.core.names import nearest, spelled
from actionformer.formats.units import UNIT_OF
from actionformer.formats.words import words_of

Role = Literal[
    "video",
    "label",
    "start",
    "end",
    "duration",
    "subject",
    "layer",
    "group",
    "annotator",
    "subset",
    "fps",
    "video_duration",
    "score",
]
WORDS: dict[Role, str] = {
    "video_duration": "",
    "fps": "fps framerate",
    "annotator": "annotator rater coder observer labeler labeller annotated",
    "subset": "subset split partition",
    "score": "score confidence probability",
    "start": "start begin beginning onset from starttime begintime tstart in",
    "end": "end stop finish offset to until endtime stoptime tend out",
    "duration": "duration dur length",
    "video": "video file filename filepath videoname videoid media clip clipname recording session sheet",
    "label": "label behavior behaviour action class event activity category classname annotation tag code text type "
    "movement exercise",
    "subject": "subject person participant",
    "layer": "individual animal player tier track layer",
    "group": "group",
}
"""Role -> the words that tell it, the surest first. If a name tells two, that listed first counts."""
COLUMN_UNITS = ("seconds", "milliseconds", "centiseconds", "minutes", "hours", "microseconds", "nanoseconds", "frames")
"""Units of a column, the surest first: `hh:mm:ss.ms` and `ss.msec` are seconds."""
TOLD = {"ss": "seconds", "frame": "frames", "frames": "frames"} | {
    word: unit for word, unit in UNIT_OF.items() if unit in COLUMN_UNITS
}
"""Word of a column's name -> the unit that it tells."""
Form = Literal["", "mm:ss", "hh:mm", "ff"]
"""How a column writes its times, where its name says so: with colons, to the minute, or with numbers of frames."""
LONGEST = 6
"""Words of a name; what has more is a sentence."""
MOMENT = ("time", "timestamp", "frame", "position")
"""Words of a column that says when, where none says a start."""
ALONE = {"in", "out", "from", "to"}
"""Words that tell a role only where they are all of a name."""
NUMBERS = {"id", "index", "number", "no", "idx"}
"""Words of columns that number what another column may name."""


@dataclass(frozen=True)
class Column:
    """A column of times."""

    place: int
    unit: str = "seconds"
    form: Form = ""


@dataclass(frozen=True)
class Columns:
    """Where everything stands in a row."""

    start: Column
    label: int
    end: Column | None = None
    duration: Column | None = None
    video_duration: Column | None = None
    others: tuple[tuple[Role, int], ...] = ()
    times: tuple[tuple[Column, ...], ...] = ()
    """All columns of starts, of ends and of durations."""

    def place(self, role: Role) -> int | None:
        """Where a text stands, if there is such a column."""
        return dict(self.others).get(role)


def columns_of(
    header: Sequence[str], told: Mapping[str, str] | None = None, units: Sequence[str] = ()
) -> Columns | None:
    """What the columns of a header are; None if it tells no start and no label.

    Args:
        header: their names.
        told: role -> the name of its column, or its number from 1, which counts before what names tell.
        units: what stands below the names.
    """
    said = _places(told or {}, header)
    names = [
        words_of(f"{name} {unit}" if is_unit(unit) else name) for name, unit in zip_longest(header, units, fillvalue="")
    ]
    if None in said.values() or (not told and max(map(len, names)) > LONGEST):
        return None
    known = {place: role for role, place in said.items()}
    roles = [known.get(i) or _unless(said, _role(words)) for i, words in enumerate(names)]
    labels = _ranked("label", names, roles)
    starts = _times("start", names, roles) or [_column(i, words) for i, words in enumerate(names) if _is_moment(words)]
    words = {word for name in names for word in name}
    if not labels or not starts or (not told and words & {"onset", "offset", "end", "stop"} == {"offset"}):
        return None
    others = {role: places[0] for role in WORDS if (places := _ranked(role, names, roles))}
    ends, durations = _times("end", names, roles), _times("duration", names, roles)
    start = next((one for one in starts if _like(one, [*ends, *durations])), starts[0])
    whole = next(iter(_times("video_duration", names, roles)), None)
    times = tuple(starts), tuple(ends), tuple(durations)
    return Columns(start, labels[0], _like(start, ends), _like(start, durations), whole, tuple(others.items()), times)


def is_unit(text: str) -> bool:
    """Whether a text is nothing but a unit of times: `(ms)`."""
    words = words_of(text)
    return bool(words) and TOLD.keys() >= set(words)


def roles_of_names(header: Sequence[str]) -> list[Role | None]:
    """What each name alone tells of its column."""
    return [_role(words_of(name)) for name in header]


def check_roles(told: Iterable[str]) -> None:
    """Raises an InputError for what no column tells."""
    roles = get_args(Role)
    for role in told:
        if role not in roles:
            raise InputError(f"columns: nothing is called {role!r}{nearest(role, roles)}; there are {', '.join(roles)}")


def _places(told: Mapping[str, str], header: Sequence[str]) -> dict[Role, int | None]:
    """Role -> where the column is that the user says, None if the header has none of that name or number."""
    return {role: place_of(told[role], header) for role in get_args(Role) if role in told}


def place_of(name: str, header: Sequence[str]) -> int | None:
    """Where the column of a name is, in any case, or of a number from 1."""
    alike = [spelled(one).casefold() for one in header]
    if (wanted := spelled(name.strip()).casefold()) in alike:
        return alike.index(wanted)
    return int(name) - 1 if name.strip().isdecimal() and 1 <= int(name) <= len(header) else None


def _unless(places: Mapping[Role, int | None], role: Role | None) -> Role | None:
    """A role that the name of a column tells, unless the user says another column for it."""
    return None if role in places else role


def _role(words: list[str]) -> Role | None:
    if {"rate", "frame"} <= set(words):
        return "fps"
    if {"duration", "length"} & set(words) and {"video", "media", "total", "file", "clip"} & set(words):
        return "video_duration"
    told = set(words) if len(words) == 1 else set(words) - ALONE
    return next((role for role, known in WORDS.items() if set(known.split()) & told), None)


def _ranked(role: Role, names: Sequence[list[str]], roles: Sequence[Role | None]) -> list[int]:
    """The columns of a role: those that do not number it first, then by how surely their words tell it."""
    order = WORDS[role].split()
    places = [i for i, one in enumerate(roles) if one == role]
    return sorted(places, key=lambda i: (role == "label" and bool(NUMBERS & set(names[i])), _first(order, names[i])))


def _first(order: Sequence[str], words: Sequence[str]) -> int:
    return min((order.index(word) for word in words if word in order), default=len(order))


def _times(role: Role, names: Sequence[list[str]], roles: Sequence[Role | None]) -> list[Column]:
    """The columns of times of a role, seconds first."""
    found = [_column(i, names[i]) for i, one in enumerate(roles) if one == role]
    return sorted(found, key=lambda column: COLUMN_UNITS.index(column.unit))


def _column(place: int, words: Sequence[str]) -> Column:
    unit = min((TOLD[word] for word in words if word in TOLD), key=COLUMN_UNITS.index, default="seconds")
    return Column(place, unit, _form(set(words)))


def _form(words: Set[str]) -> Form:
    """The form of times that a name says, such as `start (mm:ss)`."""
    if "ff" in words:
        return "ff"
    if not words & {"m", "mm", "min"}:
        return ""
    if words & {"s", "ss", "sec"}:
        return "mm:ss"
    return "hh:mm" if words & {"h", "hh"} else ""


def _is_moment(words: Sequence[str]) -> bool:
    return bool(words) and words[0] in MOMENT and _role(list(words)) is None


def _like(start: Column, columns: Sequence[Column]) -> Column | None:
    """Of several columns that in the unit of the start; none of frames where the start is a time, and the reverse."""
    same = [one for one in columns if (one.unit == "frames") == (start.unit == "frames")]
    return next((one for one in same if one.unit == start.unit), same[0] if same else None)
