"""How many frames a second the videos of results have, for formats that count frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from actionformer.formats.rows import VideoRows
from actionformer.labels.recordings import Recording, read_recording
from actionformer.recipes.search import shows_pictures


def with_rates(results: Iterable[VideoRows]) -> Iterator[VideoRows]:
    """Results with the rate and the length of the videos that they were found in, as far as these are there."""
    for found in results:
        source = Path(found.source)
        is_video = bool(found.source) and source.is_file() and shows_pictures(source)
        yield with_recording(found, read_recording(source, found.video)) if is_video else found


def with_recording(found: VideoRows, recording: Recording) -> VideoRows:
    """Results with the rate and the length of their video."""
    return found._replace(fps=recording.fps, duration=recording.duration)
