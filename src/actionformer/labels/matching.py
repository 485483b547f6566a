"""Which video a label file means by a name: a path of any machine, an address, an upload, an id."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from actionformer.core.names import spelled
from actionformer.formats.labels import LabelledVideo
from actionformer.sensors.medium import SENSORS
from actionformer.sound.medium import SOUND

PICTURES_OR_SOUND = SOUND.endings
MEDIA = PICTURES_OR_SOUND | SENSORS.endings
"""What the name of a recording may end in."""
_ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://[^/]*")
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")


def parts_of(name: str) -> list[str]:
    """Folders and file of a path or an address, of Windows or of any other system."""
    path = name.strip()
    if _ADDRESS.match(path):
        path = unquote(_ADDRESS.sub("", path).partition("?")[0])
    return [part for part in re.split(r"[/\\]+", path) if part not in ("", ".", "..")] or [name]


def id_of(name: str) -> str:
    """What a video is called where nobody says which videos there are: its file, without folders and ending.

    Label Studio puts eight digits before the name of an upload; they are left out.
    """
    *folders, last = parts_of(name)
    stem = without_ending(last)
    return _UPLOAD.sub("", stem) if "upload" in folders else stem


class VideoNames:
    """The names of the videos that there are.

    Args:
        ids: with `/` between folders, without endings.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = list(ids)
        self._known: list[dict[str, list[str]]] = []
        for alike in _ALIKE:
            known: dict[str, list[str]] = {}
            for one in self.ids:
                known.setdefault(alike(one.rpartition("/")[2]), []).append(one)
            self._known.append(known)

    def meant_by(self, video: LabelledVideo) -> list[str]:
        """The ids that any of a video's names stands for, the first of them that stands for one.

        Where none does, the folders of the label file itself tell.
        """
        several: list[str] = []
        for name in (video.name, *video.other_names):
            several = self.meant(name) or several
            if len(several) == 1:
                return several
        return _nearest(several, parts_of(os.path.abspath(video.source))[:-1]) if video.source else several

    def meant(self, name: str) -> list[str]:
        """The ids that a name may stand for: one, or none, or several of which nothing says which.

        The file counts, with the ending or without, then in any case, then as an upload is renamed; of several files
        of one name those in the same folders.
        """
        *folders, last = parts_of(name)
        for stem in dict.fromkeys((last, without_ending(last), last.rpartition(".")[0])):
            for alike, known in zip(_ALIKE, self._known, strict=True):
                if stem and (found := known.get(alike(stem))):
                    return _nearest(found, folders)
        return []


def without_ending(name: str) -> str:
    """A name without what files of recordings end in, in any case."""
    stem, point, ending = name.rpartition(".")
    return stem if stem and f"{point}{ending}".lower() in MEDIA else name


def _nearest(ids: Sequence[str], folders: Sequence[str]) -> list[str]:
    """Those that share most of the last folders."""
    shared = [_shared(one.split("/")[:-1], folders) for one in ids]
    return [one for one, count in zip(ids, shared, strict=True) if count == max(shared)]


def named_as_its_file(video: LabelledVideo) -> bool:
    """Whether a video is called as the label file, whose format may name none."""
    return bool(video.source) and video.name == Path(video.source).stem


def places_of(video: LabelledVideo, id_: str) -> tuple[str, ...]:
    """The folders that a label file names with a video that it takes for an id; of one named as the file its own.

    Folders that the id has too are all that counts. Uploads of Label Studio differ by what stands before their names.
    """
    *folders, last = parts_of(video.name)
    upload = _UPLOAD.match(last) if "upload" in folders else None
    if named_as_its_file(video):
        folders = parts_of(os.path.abspath(video.source))[:-1]
    own = id_.split("/")[:-1]
    if own and _shared(own, folders) == len(own):
        folders = own
    return (*(spelled(one).casefold() for one in folders), *([upload[0]] if upload else []))


def _shared(first: Sequence[str], second: Sequence[str]) -> int:
    count = 0
    for one, other in zip(reversed(first), reversed(second), strict=False):
        if spelled(one).casefold() != spelled(other).casefold():
            break
        count += 1
    return count


def _uploaded(name: str) -> str:
    """A name as the upload to a web server leaves it."""
    return re.sub(r"[^-\w.]", "", re.sub(r"\s", "_", _UPLOAD.sub("", spelled(name).casefold())))


_ALIKE: tuple[Callable[[str], str], ...] = (spelled, lambda name: spelled(name).casefold(), _uploaded)
"""From strict to loose: what names of one video have in common."""
