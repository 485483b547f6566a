"""Extraction: from videos to a folder of features and sidecars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TimeRemainingColumn
from rich.progress import Task as ProgressTask
from rich.text import Text

from actionformer.backbones import Backbone, load_backbone
from actionformer.core.devices import find_device
from actionformer.core.errors import InputError
from actionformer.core.progress import TextColumn
from actionformer.core.terminal import plain_console, say
from actionformer.extraction.encode import encode_videos, layout_for
from actionformer.extraction.events import Begun, Event, Failed, FeaturesReady, Finished
from actionformer.extraction.inputs import video_files
from actionformer.extraction.store import DTYPES, is_done, write_features
from actionformer.features import feature_file
from actionformer.video.clips import LastClip


@dataclass
class Extraction:
    """What became of the videos."""

    written: list[Path] = field(default_factory=list)
    """Feature files that are new."""
    kept: list[Path] = field(default_factory=list)
    """Feature files that were there."""
    failed: dict[Path, str] = field(default_factory=dict)
    """Video -> what was wrong with it."""
    warnings: dict[Path, str] = field(default_factory=dict)
    """Video -> what its user should know."""


def extract(
    videos: str | Path | Sequence[str | Path],
    backbone: str | Backbone,
    out: str | Path,
    *,
    weights: str | Path | Sequence[str | Path] = (),
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    last_clip: LastClip = "pad",
    dtype: str = "float32",
    batch_size: int | None = None,
    workers: int | None = None,
    device: str = "cpu",
    precision: str = "float32",
    overwrite: bool = False,
    console: Console | None = None,
) -> Extraction:
    """Features of videos: for each `OUT/<id>.npy`, (T, D), and its sidecar `OUT/<id>.json`.

    A file is whole or absent, and one that is there is kept: a call that was stopped is simply made again.

    Args:
        videos: files, folders of them, or patterns such as `clips/*.mp4`.
        backbone: a name of `load_backbone`, or a backbone.
        out: the folder to write.
        weights: of the backbone, see `load_backbone`.
        fps: frames a second that videos are sampled at; by default the backbone's, which may be the video's own.
        stride: frames from one clip to the next; by default the backbone's.
        num_frames: frames a clip; by default the backbone's.
        last_clip: "pad" repeats the last frame in a last clip that is not full, "drop" leaves it out.
        dtype: of the files, "float32" or "float16".
        batch_size: clips encoded together.
        workers: processes that decode; 0 decodes in this one.
        device: "cpu", "cuda", ...
        precision: of the backbone's arithmetic.
        overwrite: replace features that were made in another way.
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: no such backbone, weights that are missing, nothing to read, or features in `out` that were made in
            another way. Of several videos, those that cannot be read are reported; a single one is an error.
    """
    find_device(device)
    if dtype not in DTYPES:
        raise InputError(f"dtype must be one of {', '.join(DTYPES)}, found {dtype!r}")
    files = video_files([videos] if isinstance(videos, str | Path) else videos)
    if not files:
        raise InputError("nothing to extract from: give video files or folders of them")
    if isinstance(backbone, str):
        backbone = load_backbone(backbone, weights, device=device, precision=precision)
    console = console or plain_console(quiet=True)
    say_weights(backbone, console)
    layout = layout_for(backbone, fps=fps, stride=stride, num_frames=num_frames, last_clip=last_clip)
    targets = {file: feature_file(out, id_) for file, id_ in files.items()}
    result = Extraction()
    todo = []
    for file, path in targets.items():
        try:
            done = is_done(path, file, backbone, layout, dtype, replaceable=overwrite)
        except InputError as error:
            hint = "" if overwrite else ", or --overwrite"
            raise InputError(f"{error}: choose another --out{hint}") from error
        if done:
            result.kept.append(path)
        else:
            todo.append(file)
    events = encode_videos(todo, backbone, layout, batch_size=batch_size, workers=workers)
    for event in with_progress(write_features(events, targets, backbone, layout, dtype), len(todo), console):
        if isinstance(event, Finished):
            result.written.append(targets[event.video])
            if event.summary.warning:
                result.warnings[event.video] = event.summary.warning
        elif isinstance(event, Failed):
            result.failed[event.video] = event.reason
    if len(files) == 1 and result.failed:
        raise InputError(": ".join(map(str, *result.failed.items())))
    return result


def say_weights(backbone: Backbone, console: Console) -> None:
    """Prints the hash of the weights that were given, for people to compare."""
    if backbone.weights_hash:
        say(console, f"{backbone.name}: weights with SHA-256 {backbone.weights_hash}")


def with_progress(events: Iterable[Event], videos: int, console: Console) -> Iterator[Event]:
    """Shows how far the events of so many videos have come, and passes them on."""
    progress = Progress(
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
    with progress:
        task = progress.add_task(f"0/{videos} videos, clips", total=None)
        for event in events:
            if isinstance(event, Begun):
                begun, expected = begun + 1, expected + (event.clips or 0)
                progress.update(task, total=expected * videos // begun or None)  # those to come are taken to be as long
            elif isinstance(event, FeaturesReady):
                progress.advance(task, len(event.rows))
            else:
                ended += 1
                progress.update(task, description=f"{ended}/{videos} videos, clips")
                if not console.is_terminal and videos > 1:  # a line each for logs
                    say(console, f"{ended}/{videos} {event.video}")
            yield event


class _ClipsPerSecond(ProgressColumn):
    def render(self, task: ProgressTask) -> Text:
        return Text(f"{task.speed:.1f} clips/s" if task.speed else "")
