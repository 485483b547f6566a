"""How many frames a second the videos of results have, for formats that count frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from actionformer.core.errors import InputError, warn
from actionformer.extraction.inputs import shows_pictures
from actionformer.formats.index import FORMATS
from actionformer.formats.rows import VideoRows
from actionformer.labels.recordings import Recording, read_recording, said_of_uneven


def with_rates(results: Iterable[VideoRows]) -> Iterator[VideoRows]:
    """Results with the rate and the length of the videos that they were found in, as far as these are there."""
    for found in results:
        recording = recording_of(Path(found.source), found.video) if found.source else None
        yield found if recording is None else with_recording(found, recording)


def recording_of(source: Path, video: str) -> Recording | None:
    """What a file says of its pictures; None where it has none, or is not there."""
    if not source.is_file() or not shows_pictures(source):
        return None
    try:
        return read_recording(source, video)
    except InputError:  # it was read, so a container of videos holds sound alone
        return None


def warn_of_uneven(results: Iterable[VideoRows], format: str) -> None:
    """Warns where a tool counts pictures, and those of a video do not lie where its rate has them."""
    if not FORMATS[format].counts_pictures:
        return
    recordings = [recording_of(Path(one.source), one.video) for one in results if one.source]
    if uneven := said_of_uneven(filter(None, recordings), "in the tool, open a copy"):
        warn(uneven, stacklevel=3)


def with_recording(found: VideoRows, recording: Recording) -> VideoRows:
    """Results with the rate and the length of their video."""
    return found._replace(fps=recording.fps, duration=recording.duration)
