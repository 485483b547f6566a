"""Extraction: from videos to a folder of features and sidecars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.progress import Task as ProgressTask
from rich.text import Text

from actionformer.backbones import Backbone, load_backbone, with_columns
from actionformer.core.devices import Precision, find_device
from actionformer.core.errors import InputError
from actionformer.core.locks import sole_writer
from actionformer.core.progress import OnProgress, Progress, TextColumn
from actionformer.core.terminal import plain_console, say
from actionformer.extraction.encode import encode_videos, layout_for
from actionformer.extraction.events import Begun, Event, Failed, FeaturesReady, Finished
from actionformer.extraction.inputs import video_files
from actionformer.extraction.store import DTYPES, is_done, write_features
from actionformer.features import feature_file
from actionformer.video.clips import ClipLayout


@dataclass
class Extraction:
    """What became of the videos."""

    written: list[Path] = field(default_factory=list)
    """Feature files that are new."""
    kept: list[Path] = field(default_factory=list)
    """Feature files that were there."""
    failed: dict[Path | str, str] = field(default_factory=dict)
    """Video, a file or on a cluster an address -> what was wrong with it."""
    warnings: dict[Path | str, str] = field(default_factory=dict)
    """Video -> what its user should know."""
    set_aside: Path | None = None
    """On a cluster, the file that has a line for each video that failed."""


def extract(
    videos: str | Path | Sequence[str | Path],
    backbone: str | Backbone,
    out: str | Path,
    *,
    weights: str | Path | Sequence[str | Path] = (),
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    columns: Sequence[str] | None = None,
    time_column: str | None = None,
    last_clip: Literal["pad", "drop"] = "pad",
    dtype: Literal["float32", "float16"] = "float32",
    batch_size: int | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    device: str = "cpu",
    precision: Precision = "float32",
    on_progress: OnProgress | None = None,
    console: Console | None = None,
) -> Extraction:
    """Turns videos into features to train on and detect in, each with a sidecar that says how they lie in time.

    Of each video OUT gets <id>.npy, (T, D), and <id>.json. A file is whole or absent, and one that is there is kept: a
    call that was stopped is simply made again.

    Args:
        videos: files, folders with their subfolders, or patterns in quotes such as 'clips/**/*.mp4'.
        backbone: what turns videos into features: motion (no weights), efficientnet_lite0 (its weights come with pip),
            squeezenet, i3d (whose TV-L1 flow takes a second per frame), i3d_dis (faster), i3d_rgb, r2plus1d_tsp,
            slowfast_r50, pose (how a person stands and moves), or a model of the transformers library: videomae,
            timesformer, vivit, vjepa2, huggingface, with :ID or :FOLDER after it. Of sound: logmel (no weights),
            yamnet. Of readings of sensors in tables: windows (all of them) or statistics (eight numbers per channel).
            Of files of key points (DeepLabCut, SLEAP, tables): keypoints, or keypoints:ORIGIN/END, such as
            keypoints:tailbase/neck.
        out: the folder to write.
        weights: files of the backbone, or their folder.
        fps: frames per second that videos are sampled at; by default the backbone's, or else the video's own.
        stride: frames from one clip to the next; by default the backbone's.
        num_frames: frames per clip; by default the backbone's.
        columns: of tables, the columns that are readings; by default all numbers but times, labels and counters.
        time_column: of tables, the column that holds times; by default it is found by its name.
        last_clip: a last clip that is not full repeats the last frame (pad) or is left out (drop).
        dtype: number format of the files.
        batch_size: clips that the backbone computes together.
        workers: processes that decode videos; 0 decodes in this process.
        overwrite: replace what is there, however it was made.
        device: where to compute: cpu, cuda, cuda:1, ...
        precision: number format of the backbone's arithmetic.
        on_progress: is called with a `Progress` whenever clips or videos are done.
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: no such backbone, weights that are missing, nothing to read, or features in `out` that were made in
            another way. Of several videos, those that cannot be read are reported; a single one is an error.
    """
    find_device(device)
    if dtype not in DTYPES:
        raise InputError(f"dtype must be one of {', '.join(DTYPES)}, found {dtype!r}")
    if isinstance(backbone, str):
        backbone = with_columns(backbone, columns or (), time_column)
        backbone = load_backbone(backbone, weights, device=device, precision=precision)
    files = video_files([videos] if isinstance(videos, str | Path) else videos, backbone.medium)
    if not files:
        raise InputError("nothing to extract from: give video files or folders of them")
    layout = layout_for(backbone, fps=fps, stride=stride, num_frames=num_frames, last_clip=last_clip)
    result = extract_files(
        files,
        backbone,
        Path(out),
        layout,
        dtype=dtype,
        batch_size=batch_size,
        workers=workers,
        overwrite=overwrite,
        on_progress=on_progress,
        console=console or plain_console(quiet=True),
    )
    if len(files) == 1 and result.failed:
        raise InputError(": ".join(map(str, *result.failed.items())))
    return result


def extract_files(
    files: Mapping[Path, str],
    backbone: Backbone,
    out: Path,
    layout: ClipLayout,
    *,
    dtype: str = "float32",
    batch_size: int | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    console: Console,
) -> Extraction:
    """Turns video files, each with the id that its features are to have, into features in a folder; see `extract`.

    Raises:
        InputError: features in the folder that were made in another way.
    """
    backbone = backbone.fitted(list(files), layout.num_frames)
    say_weights(backbone, console)
    targets = {file: feature_file(out, id_) for file, id_ in files.items()}
    _check_apart(targets)
    result = Extraction()

    def to_do(files: Iterable[Path]) -> list[Path]:
        return [file for file in files if not _is_kept(targets[file], file, backbone, layout, dtype, overwrite)]

    if todo := to_do(targets):
        with sole_writer(out, writers_of(backbone, layout, dtype)):
            todo = to_do(todo)  # others may have been at work before
            events = encode_videos(todo, backbone, layout, batch_size=batch_size, workers=workers)
            with closing(write_features(events, targets, backbone, layout, dtype)) as written, closing(events):
                for event in with_progress(written, len(todo), console, on_progress):
                    if isinstance(event, Finished):
                        result.written.append(targets[event.video])
                        if event.summary.warning:
                            result.warnings[event.video] = event.summary.warning
                    elif isinstance(event, Failed):
                        result.failed[event.video] = event.reason
                    if on_progress is not None and isinstance(event, Finished | Failed):
                        done, reason = len(result.written) + len(result.failed), result.failed.get(event.video)
                        on_progress(Progress("video", done, len(todo), str(event.video), reason))
    result.kept += [path for file, path in targets.items() if file not in todo]
    return result


def writers_of(backbone: Backbone, layout: ClipLayout, dtype: str) -> str:
    """What those do who may write into one folder at a time."""
    return f"{backbone.name} {backbone.weights_hash} {backbone.preprocessing} {layout} {dtype}"


def _is_kept(path: Path, video: Path, backbone: Backbone, layout: ClipLayout, dtype: str, overwrite: bool) -> bool:
    """See `is_done`; the error has what to do."""
    try:
        return is_done(path, video, backbone, layout, dtype, replaceable=overwrite)
    except InputError as error:
        hint = "" if overwrite else ", or --overwrite"
        raise InputError(f"{error}: choose another --out{hint}") from error


def _check_apart(targets: Mapping[Path, Path]) -> None:
    """Checks that no feature file would replace what it is made of.

    Raises:
        InputError: one would.
    """
    for file, target in targets.items():
        if file.resolve() == target.resolve():
            raise InputError(f"{file}: its features would have the same name: choose another --out")


def say_weights(backbone: Backbone, console: Console) -> None:
    """Prints the hash of the weights that were given, for people to compare."""
    if backbone.weights_hash:
        say(console, f"{backbone.name}: weights with SHA-256 {backbone.weights_hash}")


def with_progress(
    events: Iterable[Event], videos: int, console: Console, on_progress: OnProgress | None = None
) -> Iterator[Event]:
    """Shows how far the events of so many videos have come, and passes them on; tells a callback of clips."""
    progress = Bar(
        TextColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        _ClipsPerSecond(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,  # results that are written there stay there
        disable=not console.is_terminal,
    )
    begun, ended, expected = 0, 0, 0
    promised: dict[Path, int | None] = {}
    clips: Counter[Path] = Counter()
    with progress:
        task = progress.add_task(f"0/{videos} videos, clips", total=None)
        for event in events:
            if isinstance(event, Begun):
                begun, expected = begun + 1, expected + (event.clips or 0)
                promised[event.video] = event.clips
                progress.update(task, total=expected * videos // begun or None)  # those to come are taken to be as long
            elif isinstance(event, FeaturesReady):
                progress.advance(task, len(event.rows))
                clips[event.video] += len(event.rows)
                if on_progress is not None:
                    on_progress(Progress("clip", clips[event.video], promised.get(event.video), str(event.video)))
            else:
                ended += 1
                progress.update(task, description=f"{ended}/{videos} videos, clips")
                if not console.is_terminal and videos > 1:  # a line each for logs
                    say(console, f"{ended}/{videos} {event.video}")
            yield event


class _ClipsPerSecond(ProgressColumn):
    def render(self, task: ProgressTask) -> Text:
        return Text(f"{task.speed:.1f} clips/s" if task.speed else "")
