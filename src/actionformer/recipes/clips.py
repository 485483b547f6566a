"""The actions of a video as clips, and a list of what each is."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path

from actionformer.core.detections import Detections, in_time
from actionformer.core.errors import InputError
from actionformer.core.files import write_whole
from actionformer.core.names import file_of
from actionformer.video.cutting import ENDING, Cutter

LIST = "clips.csv"
COLUMNS = ("clip", "label", "score", "start", "end", "cut_start", "cut_end")
LONGEST_LABEL = 60
"""Letters of a label in a file's name."""


def list_of(folder: Path, video: str) -> Path:
    """The list of the clips of a video, in the folder that has them."""
    return file_of(folder, f"{video}/{LIST.removesuffix('.csv')}", ".csv")


def cut_clips(source: Path, video: str, found: Detections, folder: Path, margin: float) -> None:
    """Writes a clip per detection, in the order of time, then the list; clips of an earlier list are removed.

    Args:
        source: the video.
        video: its id.
        found: its detections.
        folder: where clips of all videos lie, each video's in a folder of its own.
        margin: seconds before and after an action that are cut out with it, as far as the video goes.

    Raises:
        InputError: a video that cannot be read, or clips that cannot be written.
    """
    file = list_of(folder, video)
    _remove_listed(file)
    page = io.StringIO()
    table = csv.writer(page)
    table.writerow(COLUMNS)
    with Cutter(source) as cutter:
        last = cutter.video.declared or math.inf
        for number, row in enumerate(in_time(found.to_dict()), start=1):
            start, end = row["segment"]
            cut = max(start - margin, 0.0), min(end + margin, last)
            name = f"{number:03}_{_as_name(row['label'])}_{start:.2f}-{end:.2f}{ENDING}"
            cutter.cut(*cut, file.with_name(name))
            times = (f"{value:.3f}" for value in (start, end, *cut))
            table.writerow([name, row["label"], f"{row['score']:.4f}", *times])
    write_whole(file, page.getvalue())


def _as_name(label: str) -> str:
    """A label as part of a file's name: letters, digits and `-`."""
    return re.sub(r"[^\w-]+", "_", label)[:LONGEST_LABEL].encode("utf-8", "ignore").decode() or "_"


def _remove_listed(file: Path) -> None:
    """Removes the clips that an earlier list names, and it: no clip stands beside those of a later call."""
    if not file.is_file():
        return
    with file.open(encoding="utf-8", newline="") as lines:
        names = [row.get("clip") or "" for row in csv.DictReader(lines)]
    for name in names:
        if re.fullmatch(rf"\d+_[^/\\]+{re.escape(ENDING)}", name):
            file.with_name(name).unlink(missing_ok=True)
    file.unlink()


def check_margin(margin: float) -> None:
    """Checks a margin.

    Raises:
        InputError: it is no number of seconds from 0 on.
    """
    if not 0 <= margin < math.inf:
        raise InputError(f"margin must be a number of seconds from 0 on, found {margin:g}")
