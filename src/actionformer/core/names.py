"""Names of videos, classes and subsets: when two are one, which is the nearest, and the file that has a video's name.

A name is any Unicode text but the empty one. It is compared in one form of Unicode (NFC), as a file name from macOS
spells its letters in another; nothing else is guessed: who mistypes is told the nearest name.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from actionformer.core.errors import InputError, listed

LONGEST_FILE_NAME = 255
"""Bytes, on nearly all file systems."""
EXPLAINED = 3
"""Names of a message for which the nearest is looked for."""
_DIFFERENCES: dict[str, Callable[[str], str]] = {
    "a file's ending": lambda name: re.sub(r"\.[A-Za-z0-9]{2,11}$", "", name),
    "upper and lower case": str.casefold,
    "blanks": lambda name: "".join(name.split()),
    "'-' and '_'": lambda name: name.replace("-", "_"),
    "the folder": lambda name: re.split(r"[/\\]", name)[-1],
}
"""In what names often differ that mean the same -> the name without it."""


def spelled(name: str) -> str:
    """A name in the form in which names are compared."""
    return normalize("NFC", name)


def matched(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Name -> the known name that it is; those that are none of them are left out.

    Each is itself if that is known, else the only one of its spelling, unless another of the names is that already.
    """
    names, known = list(names), known if isinstance(known, Mapping | Set) else set(known)
    result = {name: name for name in names if name in known}
    rest = [name for name in names if name not in result]
    if not rest:
        return result
    spellings = Counter(map(spelled, rest))
    free: dict[str, list[str]] = {}
    for one in known:
        if one not in result:
            free.setdefault(spelled(one), []).append(one)
    for name in rest:
        fitting = free.get(spelled(name), [])
        if len(fitting) == 1 and spellings[spelled(name)] == 1:
            result[name] = fitting[0]
    return result


def known_name(name: str, known: Iterable[str], missing: str) -> str:
    """The known name that a name is.

    Args:
        name: as it was given.
        known: all there are.
        missing: what the error says before the name, as in "no class".

    Raises:
        InputError: there is none; the nearest is given, or else which there are.
    """
    known = known if isinstance(known, Mapping | Set) else list(known)
    if (found := matched([name], known).get(name)) is None:
        there = list(known)
        near = nearest(name, there) or f"; there are {listed(there) or 'none'}"
        raise InputError(f"{missing} {name!r}{near}")
    return found


def nearest(name: str, known: Sequence[str]) -> str:
    """`, did you mean ...?` for the nearest known name, or nothing."""
    close = _nearest(name, known)
    return f", did you mean {close!r}?" if close is not None else ""


def _nearest(name: str, known: Sequence[str]) -> str | None:
    bare = _bare(name)
    same = [one for one in known if _bare(one) == bare]  # of `clip.mp4` in two folders that of the same folder
    close = difflib.get_close_matches(name, same or known, n=1, cutoff=0.0 if same else 0.5)
    return close[0] if close else None


def _numbers(name: str) -> list[str]:
    return re.findall(r"[0-9]+", _bare(name))


def _bare(name: str) -> str:
    name = spelled(name)
    for without in _DIFFERENCES.values():
        name = without(name)
    return name


class Surplus(NamedTuple):
    """What known names have besides others: `cam1/v_clip_i3d` has of `clip` the folder `cam1`, `v_` and `_i3d`."""

    folder: str
    prefix: str
    suffix: str


def surplus(missing: Sequence[str], known: Iterable[str]) -> Surplus | None:
    """What known names have besides all the names that are missing, if it is one and the same."""
    there = {spelled(one) for one in known}
    wanted = [spelled(name) for name in missing]
    return next(
        (more for one in sorted(there) for more in _besides(wanted[0], one) if _all_have(more, wanted, there)), None
    )


def _besides(name: str, longer: str) -> Iterator[Surplus]:
    """What a name has besides another."""
    (place, _, base), (folder, _, rest) = name.rpartition("/"), longer.rpartition("/")
    if folder == place or folder.endswith(f"/{place}") or not place:
        for found in re.finditer(re.escape(base), rest):
            outer = folder.removesuffix(place).rstrip("/")
            yield Surplus(outer, rest[: found.start()], rest[found.end() :])


def _all_have(more: Surplus, names: Iterable[str], known: Set[str]) -> bool:
    before = f"{more.folder}/" if more.folder else ""
    parts = (name.rpartition("/") for name in names)
    return all(f"{before}{place}{mark}{more.prefix}{base}{more.suffix}" in known for place, mark, base in parts)


def explained(missing: Sequence[str], known: Sequence[str]) -> str:
    """What may be meant by names that are not known, as the end of a sentence: nothing, or `; 'a.mp4' may be 'a'; ...`.

    The nearest name for the first few; and in what all of them differ from known ones, where that is one thing.
    """
    numbers = [(one, _numbers(one)) for one in known]  # of numbered names the next one is near, and never meant
    pairs = [
        (name, _nearest(name, [one for one, has in numbers if has == _numbers(name)])) for name in missing[:EXPLAINED]
    ]
    parts = [f"{name!r} may be {close!r}" for name, close in pairs if close is not None]
    if parts and (difference := _one_difference(missing, known)):
        count = "it differs" if len(missing) == 1 else f"all {len(missing)} differ"
        parts.append(f"{count} by {difference} alone: rename one side")
    return "".join(f"; {part}" for part in parts)


def _one_difference(missing: Iterable[str], known: Iterable[str]) -> str | None:
    for difference, without in _DIFFERENCES.items():
        there = {without(spelled(one)) for one in known}
        if all(without(spelled(name)) in there for name in missing):
            return difference
    return None


def alike(names: Iterable[str]) -> list[list[str]]:
    """Groups of names that differ by blanks, case or the form of Unicode alone, and may be one."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault("".join(spelled(name).split()).casefold(), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def check_name(name: str, what: str) -> None:
    """Checks that a name is one.

    Args:
        name: as it was read.
        what: it names, for the message.

    Raises:
        InputError: it is empty, or holds half of a surrogate pair, which no file of text can.
    """
    if not name:
        raise InputError(f"{what} is empty: give it a name")
    if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name):
        raise InputError(
            f"{what} {name!r} is not Unicode text (bytes that are not UTF-8, or a lone surrogate): rename it"
        )


def file_of(folder: str | Path, video: str, ending: str, prefix: str = "") -> Path:
    """The file in a folder that has a video's name; a name with `/` lies in subfolders.

    Args:
        folder: where it lies.
        video: the name.
        ending: of the file, with its point.
        prefix: of the file's own name.

    Raises:
        InputError: no file has that name, or not within the folder.
    """
    *folders, last = video.split("/")
    parts = [*folders, f"{prefix}{last}{ending}"]
    if not last or "\0" in video or any(part in ("", ".", "..") for part in parts):
        raise InputError(f"video {video!r}: cannot be the name of a file in {folder}: rename it")
    if (longest := max(len(part.encode("utf-8", "surrogatepass")) for part in parts)) > LONGEST_FILE_NAME:
        raise InputError(
            f"video {video!r:.60}...: a file of that name has {longest} bytes, expected at most {LONGEST_FILE_NAME}: "
            "give it a shorter one"
        )
    path = Path(folder, *parts)
    if not path.is_relative_to(folder):  # a drive of Windows
        raise InputError(f"video {video!r}: cannot be the name of a file in {folder}: rename it")
    return path


def without_prefix(id_: str, prefix: str) -> str:
    """A file's id without the prefix of the file's own name."""
    folder, slash, last = id_.rpartition("/")
    return f"{folder}{slash}{last.removeprefix(prefix)}"
