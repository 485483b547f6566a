"""Detections in ActivityNet's results layout: `{"version", "results": {id: [{"label", "score", "segment"}]}}`.

What is written comes video by video, so that it need not be in memory together. A file that is laid out plainly is read
by `plain_results`, any other by the reader here, which says what is wrong with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.formats.activitynet.plain_results import read_plain
from actionformer.formats.rows import Columns, VideoRows, columns_of_rows, video_rows


def results_text(results: Iterable[VideoRows]) -> Iterator[str]:
    """ActivityNet results JSON, video by video."""
    yield '{\n "version": "1.0",\n "results": {'
    before = ""
    for video, rows, *_ in results:
        yield f"{before}\n  {json.dumps(video)}: {json.dumps(rows, indent=1).replace(chr(10), chr(10) + '  ')}"
        before = ","
    yield ("\n }" if before else "}") + ',\n "external_data": {}\n}\n'


def read_results(path: str | Path) -> dict[str, Columns]:
    """The detections of a results file, by video.

    Raises:
        InputError: a broken file or row.
    """
    plain = read_plain(path) if os.path.isfile(path) else None
    return plain if plain is not None else read_carefully(path)


def read_carefully(path: str | Path) -> dict[str, Columns]:
    """The same, row by row."""
    content = read_json(path)
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict):
        raise InputError(f"{path}: no 'results' object; expected {{'results': {{video: [detections]}}}}")
    return {video: columns_of_rows(video_rows(video, found, f"{path}: ")) for video, found in results.items()}
