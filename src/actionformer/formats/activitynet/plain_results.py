"""Results files in JSON, read video by video: in a fraction of the time and memory that an object per detection takes.

Files are read so that are laid out plainly, as `results.results_text` writes them, in any spacing. All others (escapes
in names, more keys, numbers that cannot be) are left to `results.read_carefully`, which says what is wrong with them.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import from_json

from actionformer.core.segments import LATEST
from actionformer.formats.rows import Columns, columns_of

FIELDS = [itemgetter(key) for key in ("label", "segment", "score")]
QUOTES = 2 * (len(FIELDS) + 1)
"""Of a detection with these fields, each once, no others, and a label that is text: around keys and label."""
HEAD = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{(?:\s*"version"\s*:\s*"[^"\\]*"\s*,)?\s*"results"\s*:\s*\{')
VIDEO = re.compile(rb'\s*"([^"\\\x00-\x1f]+)"\s*:\s*(?=\[)')
EMPTY, END = re.compile(rb"\[\s*\]"), re.compile(rb"\}\s*\]")
"""A list of none, and where one ends; what is part of a label in truth leaves a list that is none."""
NEXT = re.compile(rb"\s*([,}])")
AROUND = (["results"], ["results", "version"], ["external_data", "results"], ["external_data", "results", "version"])


class NotPlainError(ValueError):
    """A file that has to be read with care."""


def read_plain(path: str | Path) -> dict[str, Columns] | None:
    """The detections of a results file in JSON by video; None of a file that is not laid out plainly, or not there."""
    try:
        with _uncollected():
            return _videos(Path(path).read_bytes())
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError):
        return None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for cycles among objects, which JSON cannot make; it takes a third of the time of reading."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _videos(content: bytes) -> dict[str, Columns]:
    head = _found(HEAD.match(content))
    results: dict[str, Columns] = {}
    at, more = head.end(), b","
    while more == b",":
        video = _found(VIDEO.match(content, at))
        end = EMPTY.match(content, video.end()) or _found(END.search(content, video.end()))
        after = _found(NEXT.match(content, end.end()))
        if (name := video[1].decode()) in results:
            raise NotPlainError
        results[name] = _columns(content[video.end() : end.end()])
        at, more = after.end(), after[1]
    _check_around(content[: head.end()] + b"}" + content[at:])
    return results


def _found(match: re.Match[bytes] | None) -> re.Match[bytes]:
    if match is None:
        raise NotPlainError
    return match


def _check_around(frame: bytes) -> None:
    """Checks what stands around the videos: nothing that matters."""
    pairs: list[tuple[str, Any]] = json.loads(frame.decode("utf-8-sig"), object_pairs_hook=list)
    if sorted(key for key, _ in pairs) not in AROUND or any(value for key, value in pairs if key != "version"):
        raise NotPlainError


def _columns(text: bytes) -> Columns:
    """A list of detections; every check is of all of them at once."""
    rows = from_json(text, allow_inf_nan=False, cache_strings="all")
    labels, segments, scores = ([*map(of, rows)] for of in FIELDS)
    ends = [*chain.from_iterable(segments)]
    columns = columns_of(labels, ends, scores)
    if not all(isinstance(name, str) and name for name in columns.names) or text.count(b'"') != QUOTES * len(rows):
        raise NotPlainError
    if not {*map(len, segments)} <= {2} or not {*map(type, scores), *map(type, ends)} <= {int, float}:
        raise NotPlainError
    start, end = columns.segments.T
    if (end < start).any() or (np.abs(columns.segments) > LATEST).any() or not np.isfinite(columns.scores).all():
        raise NotPlainError
    return columns
