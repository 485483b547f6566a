"""Key points as text: CSV of DeepLabCut, of SLEAP, and of laboratories that write a column per number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, listed
from actionformer.formats.units import unit_in
from actionformer.keypoints.tracks import Column, Part, Tracks, assembled
from actionformer.sensors.cells import Dialect, dialect_of
from actionformer.sensors.columns import is_time

LEAST, LEAST_OF_DEEPLABCUT = 0.3, 0.6
"""Confidences from which points are believed; 0.6 is DeepLabCut's own `pcutoff`."""
PARTS: dict[str, Part] = {
    "x": "x",
    "y": "y",
    **dict.fromkeys(
        ("likelihood", "score", "confidence", "conf", "prob", "probability", "p", "c", "visibility", "vis"),
        "confidence",
    ),
}
NAMED = re.compile(rf"(?P<point>.+)[ _.\-](?P<part>{'|'.join(PARTS)})", re.IGNORECASE)
"""A column such as `nose_x`, `nose.score` or `left ear likelihood`."""
NUMBERED = re.compile(r"(?P<animal>[^\W\d_]+[ _\-]?\d+)[ _.\-](?P<point>.+)")
"""A point of one of several animals, such as `mouse1_nose`."""
FRAME = ("frame", "frame_idx", "frame_id", "frame_index", "frame_number", "frames")
SECONDS = ("time", "t", "seconds", "second", "time_s", "time_sec", "time (s)", "timestamp", "timestamps")
ANIMAL = (
    "track",
    "track_id",
    "animal",
    "individual",
    "individuals",
    "id",
    "identity",
    "instance",
    "person",
    "person_id",
)
HEADER = ("scorer", "individuals", "bodyparts", "coords")
"""What lines of DeepLabCut's header begin with."""
WHOLE = ""
"""The name of the only animal."""
OBJECTS = "single"
"""What DeepLabCut calls the owner of points that belong to no animal, such as corners of the arena."""
PIECE = 1 << 13
MOST_BELIEVED = 10.0
"""Confidences are about 1 at most, and 2 in COCO; larger ones are percent."""
MOST_FRAMES_A_ROW = 1000
"""Frames a row that numbers of frames may leave out; more are no numbers of frames."""


def read_text(path: Path) -> Tracks:
    """The key points of a text file.

    Raises:
        InputError: no such file, or no columns of points.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            first = list(islice(file, 100))
            dialect = dialect_of(first)
            rows = dialect.rows(chain(first, file))
            header = next(rows, [])
            if header and header[0].strip().lower() in HEADER:
                return _deeplabcut(path, header, rows, dialect)
            return _plain(path, [cell.strip() for cell in header], rows, dialect)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _deeplabcut(path: Path, line: list[str], rows: Iterator[list[str]], dialect: Dialect) -> Tracks:
    header: dict[str, list[str]] = {}
    while True:
        kind = line[0].strip().lower()
        if kind not in HEADER:
            raise InputError(f"{path}: a header of DeepLabCut has lines {', '.join(HEADER)}, found {line[0]!r:.60}")
        header[kind] = line[1:]
        if kind == "coords":
            break
        line = next(rows, [""])
    if "bodyparts" not in header:
        raise InputError(f"{path}: a header of DeepLabCut without a line of bodyparts")
    animals = header.get("individuals", [WHOLE] * len(line))
    names = list(zip(animals, header["bodyparts"], header["coords"], strict=False))
    index: list[str] = []
    values = _numbers(path, rows, dialect, range(1, len(names) + 1), len(line), index, 0)
    return of_deeplabcut(path, names, values, index)


def of_deeplabcut(
    path: Path, names: Sequence[tuple[str, str, str]], values: NDArray[np.float64], index: Sequence[str]
) -> Tracks:
    """The tracks of DeepLabCut's columns.

    Args:
        path: where they come from, for messages.
        names: animal, point and coordinate of each column.
        values: (T, C).
        index: what names each row; where these are numbers of frames, frames without a row are not seen.

    Raises:
        InputError: no column of x and y, or two rows of one frame.
    """
    several = {animal for animal, _, _ in names if animal != OBJECTS}
    columns = {
        index: Column(animal, point, PARTS[part.strip().lower()])
        for index, (animal, point, part) in enumerate(names)
        if part.strip().lower() in PARTS and (animal != OBJECTS or not several)
    }
    wanted, values = list(columns.values()), values[:, list(columns)]
    if len(values) and all(map(str.isdecimal, index)):
        wanted, values = _by_frame(path, wanted, values, np.array(index, np.float64), [])
    return _checked(path, wanted, values, LEAST_OF_DEEPLABCUT, ["scorer"])


def _plain(path: Path, header: Sequence[str], rows: Iterator[list[str]], dialect: Dialect) -> Tracks:
    columns = _columns(header)
    wanted = list(columns)
    frame, animal = _among(header, FRAME), _among(header, ANIMAL)
    seconds, per_second = _clock(header)
    if animal is not None and frame is None:
        held = list(rows)
        owners = [row[animal].strip() for row in held if animal < len(row)]
        if header[animal].lower() != "id" or len(set(owners)) < len(owners):
            raise InputError(
                f"{path}: its column {header[animal]!r} says that rows are of several animals, and no column says "
                "which rows are of one moment: add a column named frame"
            )
        animal, rows = None, iter(held)  # it numbers the rows
    if seconds is not None and animal is None:
        values = _numbers(path, rows, dialect, [*wanted, seconds], len(header))
        return _checked(path, list(columns.values()), values[:, :-1], LEAST, header, values[:, -1] / per_second)
    if frame is not None:
        owned: list[str] = []
        values = _numbers(path, rows, dialect, [*wanted, frame], len(header), owned, animal)
        placed = _by_frame(path, list(columns.values()), values[:, :-1], values[:, -1], owned)
        return _checked(path, *placed, LEAST, header)
    return _checked(path, list(columns.values()), _numbers(path, rows, dialect, wanted, len(header)), LEAST, header)


def _columns(header: Sequence[str]) -> dict[int, Column]:
    """The columns of points that have x and y; of several animals, where all of these have the same points."""
    named = {index: found for index, name in enumerate(header) if (found := NAMED.fullmatch(name))}
    for split in (NUMBERED, None):
        columns = {index: _column(found, split) for index, found in named.items()}
        having = {part: {column[:2] for column in columns.values() if column.part == part} for part in ("x", "y")}
        both = having["x"] & having["y"]
        columns = {index: column for index, column in columns.items() if column[:2] in both}
        points = {animal: {point for one, point in both if one == animal} for animal, _ in both}
        if split is None or (len(points) > 1 and len({frozenset(each) for each in points.values()}) == 1):
            break
    return columns


def _column(found: re.Match[str], split: re.Pattern[str] | None) -> Column:
    owner = split.fullmatch(found["point"]) if split else None
    animal, point = (owner["animal"], owner["point"]) if owner else (WHOLE, found["point"])
    return Column(animal, point, PARTS[found["part"].lower()])


def _among(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((index for index, name in enumerate(header) if name.lower() in names), None)


def _clock(header: Sequence[str]) -> tuple[int | None, float]:
    """The column of times, and how many of its units are a second."""
    if (place := _among(header, SECONDS)) is not None:
        return place, 1.0
    units = ((place, unit) for place, name in enumerate(header) if is_time(name) and (unit := unit_in(name)))
    return next(units, (None, 1.0))


def _by_frame(
    path: Path,
    columns: Sequence[Column],
    values: NDArray[np.float64],
    frames: NDArray[np.float64],
    owners: Sequence[str],
) -> tuple[list[Column], NDArray[np.float64]]:
    """Rows that name their frame, and their animal where there are `owners`, in place; frames without one are NaN."""
    if not np.isfinite(frames).all() or (frames < 0).any() or (frames != np.rint(frames)).any():
        raise InputError(f"{path}: its column of frames holds something else than whole numbers from 0 on")
    count = int(frames.max(initial=-1)) + 1
    if count > MOST_FRAMES_A_ROW * (len(frames) + 1):
        raise InputError(f"{path}: {len(frames):,} rows, and frame {count - 1:,} among them: these are no frames")
    animals = {animal: number for number, animal in enumerate(dict.fromkeys(owners))} or {WHOLE: 0}
    places = frames.astype(int), np.array([animals[owner] for owner in owners] or [0] * len(frames), int)
    if len(set(zip(*map(np.ndarray.tolist, places), strict=True))) < len(frames):
        raise InputError(f"{path}: two of its rows are of the same frame{' and animal' if owners else ''}")
    placed = np.full((count, len(animals), len(columns)), np.nan)
    placed[places] = values
    named = [Column(animal, *column[1:]) if owners else column for animal in animals for column in columns]
    return named, placed.reshape(count, -1)


def _checked(
    path: Path,
    columns: Sequence[Column],
    values: NDArray[np.float64],
    least: float,
    header: Sequence[str],
    seconds: NDArray[np.float64] | None = None,
) -> Tracks:
    if not columns or not len(values):
        what = "rows" if columns else "columns of key points"
        raise InputError(
            f"{path}: no {what} among {listed(header) or 'nothing'}: expected the CSV of DeepLabCut or SLEAP, or "
            "columns such as nose_x, nose_y, nose_likelihood"
        )
    believed = values[:, [column.part == "confidence" for column in columns]]
    if least == LEAST and (most := float(np.nanmax(believed, initial=0.0))) > MOST_BELIEVED:
        raise InputError(f"{path}: confidences of up to {most:g}, expected 0 to 1: divide them, percent by 100")
    return assembled(columns, values.astype(np.float32), least, seconds)


def _numbers(
    path: Path,
    rows: Iterator[list[str]],
    dialect: Dialect,
    columns: Sequence[int],
    width: int,
    owners: list[str] | None = None,
    owner: int | None = None,
) -> NDArray[np.float64]:
    """Some columns of the rows, (T, C); names in the column `owner` are added to `owners`."""
    pieces, done = [np.empty((0, len(columns)))], 0
    while piece := list(islice(rows, PIECE)):
        for number, row in enumerate(piece, done + 1):
            if len(row) != width:
                raise InputError(
                    f"{path}: row {number:,} has {len(row)} cells, expected the {width} of the header: delete lines "
                    "that are neither the header nor a frame"
                )
        try:
            numbers = [dialect.numbers([row[column] for row in piece]) for column in columns]
        except ValueError as error:
            raise InputError(
                f"{path}: in rows {done + 1:,} to {done + len(piece):,}: {error}: correct it, or delete a line that is "
                "no frame, such as units (name the column time_ms)"
            ) from error
        if columns:
            pieces.append(np.stack(numbers, 1))
        if owners is not None and owner is not None:
            owners.extend(row[owner].strip() for row in piece)
        done += len(piece)
    return np.concatenate(pieces)
