"""What the columns of a table are, told by what stands in them where it has no header."""

from __future__ import annotations

import re
from collections.abc import Sequence

from actionformer.formats.csv_table.columns import Role
from actionformer.formats.numbers import seconds

_FILE = re.compile(r".*[^\s.]\.(?=\w*[A-Za-z])\w{2,4}")
"""The name of a file."""


def roles_of_content(rows: Sequence[Sequence[str]], *, likely: bool = False) -> dict[Role, int] | None:
    """Role -> its column; None if that is not sure.

    It is sure of two columns of times, of which the second is never before the first, one of texts, which is the label,
    and at most one of names of files. A third column of times may say how long it is from the first to the second, and
    each may be there twice, in two units, as ELAN exports them.

        clip1.mp4,1.2,3.4,jump   ->  video, start, end, label
        1.2;3.4;jump             ->  start, end, label
        clip1,1.2,3.4,jump       ->  None: either text may be the label, though the last is likely

    Args:
        rows: of one width, without a header.
        likely: take of two texts the first for the video.
    """
    if not rows or len({len(row) for row in rows}) != 1:
        return None
    kinds = [_kind(column) for column in zip(*rows, strict=True)]
    given, files, texts = ([i for i, kind in enumerate(kinds) if kind == one] for one in ("time", "file", "text"))
    times = _without_repeats(rows, given)
    first: Role = "video" if files or times == given else "layer"
    if likely and not files:
        files, texts = texts[:-1] if first == "video" else texts[:-1][:1], texts[-1:]
    if len(times) != 2 or len(texts) != 1 or len(files) > 1 or not _begin_and_end(rows, *times):
        return None
    found: dict[Role, int] = {"start": times[0], "end": times[1], "label": texts[0]}
    return {first: files[0], **found} if files else found


def _without_repeats(rows: Sequence[Sequence[str]], places: Sequence[int]) -> list[int]:
    """Columns of times without those that say an earlier one in seconds or ms, and without lengths at the end."""
    held = {place: [seconds(row[place]) or 0.0 for row in rows] for place in places}
    own = list[int]()
    for place in places:
        if not any(_are_same(held[place], held[one]) for one in own):
            own.append(place)
    lengths = [end - start for start, end in zip(*(held[place] for place in own[:2]), strict=True)] if own[1:] else []
    return own[:2] if len(own) == 3 and _are_same(held[own[2]], lengths) else own


def _are_same(times: Sequence[float], others: Sequence[float]) -> bool:
    """Whether times are others, to a hundredth of a second, or those in ms."""
    return any(all(abs(a - size * b) < 0.01 * size for a, b in zip(times, others, strict=True)) for size in (1, 1000))


def _begin_and_end(rows: Sequence[Sequence[str]], start: int, end: int) -> bool:
    lengths = [(seconds(row[end]) or 0.0) - (seconds(row[start]) or 0.0) for row in rows]
    return min(lengths) >= 0 and max(lengths) > 0


def _kind(cells: Sequence[str]) -> str:
    if all(seconds(cell) is not None for cell in cells):
        return "time"
    if all(_FILE.fullmatch(cell) for cell in cells):
        return "file"
    if not any(cells):
        return "empty"
    return "text" if all(cells) and all(seconds(cell) is None for cell in cells) else "mixed"
