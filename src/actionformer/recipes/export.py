"""Detections that are there already, in the format of another tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from actionformer.core.errors import InputError, warn
from actionformer.core.files import check_absent, write_pieces
from actionformer.core.words import part
from actionformer.extraction.inputs import videos_there
from actionformer.formats.detections import read_results, results_pieces, write_video
from actionformer.formats.index import FormatName, find
from actionformer.formats.rows import VideoRows
from actionformer.inference.selection import least_score
from actionformer.labels.matching import VideoNames
from actionformer.labels.recordings import read_recording
from actionformer.recipes.output import Output
from actionformer.recipes.rates import warn_of_uneven, with_recording


def export_detections(
    results: Sequence[str | Path],
    *,
    out: str | Path,
    format: FormatName | None = None,
    videos: Sequence[str | Path] = (),
    fps: float | None = None,
    min_score: float | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Writes detections in the format of an annotation tool, of subtitles or of a table.

    Args:
        results: files that detect has written, JSON, JSON Lines, CSV or Parquet.
        out: the file to write; of formats that hold one video per file, and several videos, a folder.
        format: of the output; by default what the ending of --out tells.
        videos: the videos that were searched: files, folders or patterns. Tools open them, and frame numbers need their
            rate.
        fps: frames per second, where the videos are not there.
        min_score: leave out detections with a lower score; by default 0.3 in formats that people look at, else nothing.
        overwrite: replace files that exist.

    Returns:
        The files that were written.

    Raises:
        InputError: no such format, frame numbers of an unknown rate, or an output that is there already.
    """
    out, chosen = Path(out), find(format, out)
    output = Output(out, chosen.name)
    found = read_results(results)
    least = least_score(for_people=chosen.for_people, min_score=min_score)
    rows = [VideoRows(video, one.above(least).to_dict(), fps=fps) for video, one in found.items()]
    if videos:
        rows = _with_videos(rows, {id_: path for path, id_ in videos_there(videos).items()}, fps)
    if len(rows) > 1 and chosen.one_video and not output.in_folder:
        raise InputError(f"{chosen.name} holds one video per file: give a folder with --out, which has no ending")
    files = output.files(one.video for one in rows)
    check_absent(files, overwrite=overwrite)
    warn_of_uneven(rows, chosen.name)
    if not chosen.one_video:
        write_pieces(out, results_pieces(rows, chosen.name))
        return files
    for one in rows:
        media = Path(one.source).resolve().as_uri() if one.source else ""
        timing = {"fps": one.fps, "duration": one.duration}
        write_video(output.file_of(one.video), found[one.video].above(least), chosen.name, media, **timing)
    return files


def _with_videos(rows: Sequence[VideoRows], files: Mapping[str, Path], fps: float | None) -> list[VideoRows]:
    """Results with their video files, and what these say of rates and lengths."""
    names, found, missing = VideoNames(files), list[VideoRows](), list[str]()
    for row in rows:
        meant = names.meant(row.video)
        if len(meant) != 1:
            missing.append(row.video)
            found.append(row)
            continue
        path = files[meant[0]]
        one = with_recording(row._replace(source=str(path)), read_recording(path, row.video))
        found.append(one._replace(fps=fps or one.fps))
    if missing:
        lacking = part(len(missing), len(rows), "videos of the results are not among the videos: ")
        warn(lacking + ", ".join(missing[:3]))
    return found
