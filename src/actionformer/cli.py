"""The command line: one verb a function, each a few lines; what is heavy is imported inside."""

from __future__ import annotations

import atexit
import gc
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, make_dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from cyclopts import App, CycloptsError, Parameter
from pydantic import BaseModel

from actionformer.core.errors import InputError
from actionformer.core.files import check_absent
from actionformer.core.names import known_name, nearest
from actionformer.core.terminal import (
    WIDEST,
    TextTable,
    complain,
    emit,
    escape_what_lacks,
    one_line,
    plain_console,
    tell,
)
from actionformer.settings.config import Config, descriptions

app = App(
    name="actionformer",
    help="Temporal action localization: find every action in a video, when it starts, when it ends, what it is.",
    version_flags=["--version"],
    help_format="plaintext",
    default_parameter=Parameter(negative_iterable=(), consume_multiple=True),
)


# Every `--help` parses the whole file that a class of options says it comes from: this one is nearly empty.
_SMALL_SOURCE = {"__module__": "actionformer.settings.presets"}


def _changes_of(section: str, settings: type[BaseModel]) -> type:
    """A section's settings as options; what is not given is None and stays as the preset or file has it.

    A plain dataclass: of pydantic's models every `--help` would read the source.
    """
    options: list[tuple[str, Any, Any]] = [
        (name, Annotated[_in_a_row(setting.annotation) | None, Parameter(help=descriptions()[section][name])], None)
        for name, setting in settings.model_fields.items()
    ]
    return make_dataclass(settings.__name__, options, namespace=_SMALL_SOURCE)


def _in_a_row(annotation: Any) -> Any:
    """A list wherever one is possible, pairs as numbers in a row: `--model.regression-ranges 0 4 4 8`."""
    for kind in (annotation, *get_args(annotation)):
        if get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis:
            (item, _) = get_args(kind)
            return list[float] if get_origin(item) is tuple else list[item]  # type: ignore[valid-type]
    return annotation


def _changes(name: str, *sections: str) -> Any:
    """Options for all settings of some sections."""
    options = [(one, _changes_of(one, type(getattr(Config(), one))) | None, None) for one in sections]
    changes = make_dataclass(name, options, namespace=_SMALL_SOURCE)
    return Annotated[changes | None, Parameter(name="*", group="Settings", show_default=False)]


Settings: Any = _changes("Changes", *Config.model_fields)
Afterwards: Any = _changes("AfterwardsChanges", "decoding", "suppression")
Device = Annotated[str, Parameter(help="cpu, cuda, cuda:1, ...")]
Flag = Annotated[bool, Parameter(negative=())]
Precision = Literal["float32", "bfloat16", "float16"]
MOST_CLASSES = 30
"""Classes that an evaluation shows unasked."""


@app.command
def demo(out: Path = Path("runs/demo"), *, seed: int = 0, overwrite: Flag = False) -> int:
    """Show the whole way on videos made for it: extract features, train, evaluate, detect in a video not seen before.

    Example: actionformer demo

    Parameters
    ----------
    out
        Where videos, features, run, detections and a video with them drawn in are written.
    seed
        Of videos and training.
    overwrite
        Replace an earlier demo there.
    """
    _import_torch()
    from actionformer.recipes.demo import demo as run

    return run(out, seed=seed, overwrite=overwrite, console=plain_console(sys.stdout))


@app.command
def train(
    preset: str,
    *,
    annotations: Path,
    features: list[Path],
    out: Path,
    init: Path | None = None,
    resume: Flag = False,
    overwrite: Flag = False,
    skip_missing: Flag = False,
    other_timing: Flag = False,
    device: Device = "cpu",
    settings: Settings = None,
) -> None:
    """Train a model and evaluate it on the way.

    Example: actionformer train thumos14_i3d --annotations thumos14.json --features i3d/ --out runs/thumos14

    Parameters
    ----------
    preset
        A preset's name or a TOML file.
    annotations
        ActivityNet JSON.
    features
        A folder of feature files; several are joined by channel.
    out
        The run directory to write.
    init
        A model directory to start from; its classes and input width may differ.
    resume
        Continue the run in OUT.
    overwrite
        Remove the run in OUT and start again.
    skip_missing
        Go on without videos that have no features.
    other_timing
        Take features of several strides or windows, or of other timing than those of INIT.
    """
    _import_torch()
    from actionformer.recipes import train as run
    from actionformer.settings.config import load_config

    config = load_config(preset, _given(settings))
    run(
        config,
        annotations,
        features,
        out,
        init=init,
        resume=resume,
        overwrite=overwrite,
        skip_missing=skip_missing,
        other_timing=other_timing,
        device=device,
        console=plain_console(),
    )
    tell(f"model: {out}")


@app.command
def evaluate(
    run: Path,
    *,
    annotations: Path | None = None,
    features: list[Path] | None = None,
    subset: list[str] | None = None,
    tiou: str | None = None,
    skip_missing: Flag = False,
    other_timing: Flag = False,
    device: Device = "cpu",
    precision: Precision = "float32",
    per_class: Flag = False,
    settings: Afterwards = None,
) -> None:
    """Detect in the evaluation subset and score that; leaves detections.json and evaluation.json in the run.

    Example: actionformer evaluate runs/thumos14 --tiou 0.3:0.7:0.1

    Parameters
    ----------
    run
        A model directory.
    annotations
        By default those it was trained with.
    features
        By default those it was trained with.
    subset
        By default the evaluation subset of its settings.
    tiou
        start:stop:step or a list a,b,c.
    skip_missing
        Go on without videos that have no features.
    per_class
        A row for every class, also where there are more than 30.
    other_timing
        Take features of another stride, window or rate than those that the model was trained on.
    """
    _import_torch()
    from actionformer.recipes import evaluate_run

    report = evaluate_run(
        run,
        annotations=annotations,
        features=features,
        subset=subset,
        tiou=tiou,
        skip_missing=skip_missing,
        other_timing=other_timing,
        device=device,
        precision=precision,
        settings=_given(settings),
    )
    _print_report(report, per_class)


@app.command
def score(
    *,
    annotations: Path,
    detections: list[Path],
    subset: list[str] | None = None,
    tiou: str = "0.3:0.7:0.1",
    json: Path | None = None,
    overwrite: Flag = False,
    per_class: Flag = False,
) -> None:
    """Score a file of detections against annotations: mAP, Recall@kx, AR@AN.

    Example: actionformer score --annotations thumos14.json --detections detections.json --subset test

    Parameters
    ----------
    annotations
        Ground truth, ActivityNet JSON.
    detections
        Results JSON, JSON Lines, or CSV with the columns video, label, start, end, score; several files are joined.
    subset
        Subsets to evaluate on, in any case; by default all videos.
    tiou
        start:stop:step or a list a,b,c.
    json
        Where to write all figures.
    overwrite
        Replace that file if it exists.
    per_class
        A row for every class, also where there are more than 30.
    """
    from actionformer.evaluation import score as run

    check_absent([json] if json is not None else [], overwrite=overwrite)
    report = run(annotations, detections, subset=subset, tiou=tiou)
    if json is not None:
        report.to_json(json)
    _print_report(report, per_class)


@app.command
def extract(
    *videos: Path,
    backbone: str,
    out: Path,
    weights: list[Path] | None = None,
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    last_clip: Literal["pad", "drop"] = "pad",
    dtype: Literal["float32", "float16"] = "float32",
    batch_size: int | None = None,
    workers: int | None = None,
    overwrite: Flag = False,
    device: Device = "cpu",
    precision: Precision = "float32",
) -> int:
    """Turn videos into features to train on and detect in, each with a sidecar that says how they lie in time.

    Example: actionformer extract videos/ --backbone motion --out features/

    What is there already is kept: a call that was stopped is simply made again.

    Parameters
    ----------
    videos
        Files, folders with their subfolders, or patterns in quotes such as 'clips/**/*.mp4'.
    backbone
        motion (no weights), squeezenet, i3d (whose TV-L1 flow takes a second a frame), i3d_dis (faster), i3d_rgb,
        r2plus1d_tsp, slowfast_r50, or a model of the transformers library: videomae, timesformer, vivit, vjepa2,
        huggingface, with :ID or :FOLDER after it.
    out
        The folder to write.
    weights
        Files of the backbone, or their folder.
    fps
        Frames a second that videos are sampled at; by default the backbone's, or else the video's own.
    stride
        Frames from one clip to the next; by default the backbone's.
    num_frames
        Frames a clip; by default the backbone's.
    last_clip
        A last clip that is not full repeats the last frame (pad) or is left out (drop).
    dtype
        Of the files.
    batch_size
        Clips that the backbone sees together.
    workers
        Processes that decode; 0 decodes in this one.
    overwrite
        Replace what is there, however it was made.
    """
    _import_torch()
    from actionformer.recipes import extract as run

    done = run(
        list(videos),
        backbone,
        out,
        weights=weights or (),
        fps=fps,
        stride=stride,
        num_frames=num_frames,
        last_clip=last_clip,
        dtype=dtype,
        batch_size=batch_size,
        workers=workers,
        device=device,
        precision=precision,
        overwrite=overwrite,
        console=plain_console(),
    )
    tell(f"features: {len(done.written)} new, {len(done.kept)} kept in {out}")
    return _report_files(done.warnings, done.failed)


@app.command
def detect(
    run: Path,
    *inputs: Path,
    out: Path | None = None,
    format: Literal["json", "jsonl", "csv", "table", "srt", "vtt", "eaf"] | None = None,
    min_score: float | None = None,
    classes: list[str] | None = None,
    overlay: Path | None = None,
    resume: Flag = False,
    overwrite: Flag = False,
    shard: str | None = None,
    features_out: Path | None = None,
    backbone: str | None = None,
    weights: list[Path] | None = None,
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    duration: float | None = None,
    other_timing: Flag = False,
    batch_size: int | None = None,
    workers: int | None = None,
    max_action_seconds: float | None = None,
    max_per_hour: float | None = None,
    live: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    provisional: Flag = False,
    patience: float = 10.0,
    stop_after: float | None = None,
    device: Device = "cpu",
    precision: Precision = "float32",
    settings: Afterwards = None,
) -> int:
    """Find the actions in videos or feature files, or in a live source.

    Example: actionformer detect runs/mine video.mp4 --format srt --out video.srt --overlay seen.mp4

    With --live every action is a line, written once it is final; Ctrl-C ends the source, and what is left is written.

    Parameters
    ----------
    run
        A model directory.
    inputs
        Videos or feature files, folders with their subfolders, or patterns in quotes such as 'clips/**/*.mp4'.
    out
        Where to write; by default to the terminal. The ending tells the format. Subtitles of several videos: a folder.
    format
        json (ActivityNet results; with --live an object a line), jsonl (a video a line, as it comes), csv, table,
        srt or vtt (subtitles), eaf (ELAN).
    min_score
        Leave out what scores below; by default 0.3 in tables, subtitles, ELAN and overlay, else nothing.
    classes
        Only these classes.
    overlay
        Write the video with labels and a timeline drawn in; of several videos: a folder.
    resume
        Go on where an earlier call with the same --out was stopped: what it has found is kept, what failed is tried
        again.
    overwrite
        Replace files that exist.
    shard
        K/N: of the files only the K-th of N shares, from 1 on, for several machines or processes.
    features_out
        A folder that keeps the features of videos.
    backbone
        What turns videos into features; by default what the model was trained on, and nothing else fits.
    weights
        Files of the backbone, or their folder.
    fps
        Frames per second of the video; by default the sidecar's, then the model's. So are the next two.
    stride
        Frames between neighbouring features.
    num_frames
        Frames a feature covers.
    duration
        Of the video, seconds; by default the sidecar's, then what the features cover.
    other_timing
        Take features of another stride, window or rate than those that the model was trained on.
    batch_size
        Clips that the backbone sees together.
    workers
        Processes that decode; 0 decodes in this one.
    max_action_seconds
        The longest that an action may last; by default the run's setting, with --live else 60.
    max_per_hour
        Most actions an hour; by default the run's setting, else suppression.max_detections is the cap.
    live
        A source instead of files: a camera (/dev/video0, avfoundation:0, 'dshow:video=NAME'), an address such as
        rtsp://..., a named pipe, - for standard input, or a .ts, .mkv or fragmented .mp4 file that is still written.
    provisional
        Of a live source write also what is not final yet, whenever it changes.
    patience
        Seconds without anything new after which a live file has ended, and any other source is given up.
    stop_after
        Seconds of a live source after which to end.
    """
    _import_torch()
    from actionformer.features import FeatureSpec
    from actionformer.model_directory import load_settings
    from actionformer.recipes.detect import VideoSettings, input_files, search_of
    from actionformer.recipes.job import run_job, shard_of
    from actionformer.recipes.live import check_live, follow, watch
    from actionformer.recipes.output import Output, format_of, least_score

    known = load_settings(run)[1].class_names
    classes = [known_name(name, known, "no class") for name in classes or []]
    if min_score is not None and not 0 <= min_score <= 1:
        raise InputError(f"min_score must lie between 0 and 1, found {min_score:g}")
    if live is not None:
        _refuse("--live", inputs=inputs or None, overlay=overlay, features_out=features_out, duration=duration)
        _refuse("--live", batch_size=batch_size, workers=workers, shard=shard, resume=resume or None)
        kind = check_live(live, out, format, provisional)
        check_absent([out] if out is not None else [], overwrite=overwrite)
        watching = watch(
            run,
            live,
            max_action_seconds=max_action_seconds,
            max_per_hour=max_per_hour,
            backbone=backbone,
            weights=weights or (),
            fps=fps,
            stride=stride,
            num_frames=num_frames,
            patience=patience,
            stop_after=stop_after,
            device=device,
            precision=precision,
            settings=_given(settings),
            other_timing=other_timing,
            min_score=min_score,
            console=plain_console(),
        )
        wanted = _Wanted(classes, least_score(kind, min_score))
        code = follow(watching, out, kind, chosen=wanted, provisional=provisional, console=plain_console())
        if wanted.hidden and min_score is None:
            complain(_hidden(wanted.hidden, wanted.min_score))
        return code
    _refuse("videos and feature files", provisional=provisional or None, stop_after=stop_after)
    files = input_files(inputs)
    output = Output(out, format_of(out, format), overlay, min_score)
    output.check(files)
    search = search_of(
        run,
        shard_of(files, shard),
        timing=FeatureSpec(fps=fps, stride=stride, num_frames=num_frames, duration=duration),
        videos=VideoSettings(backbone, weights or (), features_out, batch_size, workers),
        max_action_seconds=max_action_seconds,
        max_per_hour=max_per_hour,
        device=device,
        precision=precision,
        settings=_given(settings),
        other_timing=other_timing,
        min_score=min_score,
        console=plain_console(),
    )
    if output.check_new(search.sources, resume=resume, overwrite=overwrite):
        complain(f"{out}: is there and whole, nothing was left to do; --overwrite makes it anew")
        return 0
    done = run_job(
        search, output, classes=classes or None, resume=resume, shard=shard, alone=len(files) == 1, complain=complain
    )
    return _report_job(done, output)


@app.command
def convert(config: Path, checkpoint: Path, directory: Path, *, annotations: Path | None = None) -> None:
    """Turn the authors' checkpoint into a model directory.

    Example: actionformer convert thumos_i3d.yaml epoch_034.pth.tar models/thumos14 --annotations thumos14.json

    Parameters
    ----------
    config
        The YAML file published beside the checkpoint.
    checkpoint
        The .pth.tar file.
    directory
        The model directory to write.
    annotations
        Names the classes.
    """
    _import_torch()
    from actionformer.interop import convert as run

    run(config, checkpoint, directory, annotations=annotations)
    tell(f"model: {directory}")


@app.command
def info(directory: str) -> None:
    """Say what a model is: classes, features, levels, size, training. Of a preset or TOML file, the settings.

    Example: actionformer info runs/thumos14

    Parameters
    ----------
    directory
        A model directory, a preset's name or a TOML file.
    """
    from actionformer.settings.config import load_config, preset_names

    presets = preset_names()
    if directory in presets or directory.endswith(".toml"):
        emit(load_config(directory).to_toml())
        return
    if not Path(directory).is_dir():
        raise InputError(f"{directory}: no model directory, and no preset{nearest(directory, presets)}")
    _import_torch()
    from actionformer.recipes.describe import describe

    plain_console(sys.stdout).print(describe(directory))


@app.command
def view(
    source: Path,
    *,
    features: list[Path] | None = None,
    videos: Path | None = None,
    annotations: Path | None = None,
    compare: Path | None = None,
    corrections: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    no_browser: Flag = False,
    save: Path | None = None,
    overwrite: Flag = False,
) -> None:
    """Look at detections on a page: timelines with the video, errors, what the network says, suppression, corrections.

    Example: actionformer view runs/thumos14 --videos videos/

    Parameters
    ----------
    source
        A run directory, or a file of detections (JSON, JSON Lines or CSV).
    features
        Of the run; by default those it was trained with.
    videos
        A folder of video files, named as the videos are.
    annotations
        Ground truth, ActivityNet JSON; by default what the run was trained with.
    compare
        A second run or file of detections.
    corrections
        Where corrected annotations are written; by default beside SOURCE. The original stays as it is.
    host
        The address to listen at. Another one than 127.0.0.1 opens the page to other machines, for those with the token.
    port
        0 takes a free one.
    token
        By default made where one is needed.
    no_browser
        Only tell the address.
    save
        Write one HTML file that shows all but the videos, without a server and offline, and end.
    overwrite
        Replace that file if it exists.
    """
    from actionformer.viewer.start import view as run

    run(
        source,
        features=tuple(features or ()),
        videos=videos,
        annotations=annotations,
        compare=compare,
        corrections=corrections,
        host=host,
        port=port,
        token=token,
        browser=not no_browser,
        save=save,
        overwrite=overwrite,
    )


def _refuse(source: str, **options: Any) -> None:
    """Raises an InputError if one of these is not None: they mean nothing for such a source."""
    for name, value in options.items():
        if value is not None:
            raise InputError(f"{name} does not go with {source}")


class _Wanted:
    """Takes of detections those of some classes with a least score, and counts what scores below."""

    def __init__(self, classes: list[str] | None, min_score: float) -> None:
        self.classes, self.min_score, self.hidden = classes, min_score, 0

    def __call__(self, found: Any) -> Any:
        chosen = found.of(self.classes) if self.classes else found
        shown = chosen.above(self.min_score)
        self.hidden += len(chosen) - len(shown)
        return shown


def _hidden(number: int, limit: float) -> str:
    return f"{number:,} more score below {limit:g} and are left out, --min-score 0 shows them"


def _import_torch() -> None:
    """Imports torch out of sight of the garbage collector, which would search all that it makes again and again."""
    if "torch" not in sys.modules:
        gc.disable()
        import_module("torch")
        gc.freeze()
        gc.enable()


def _given(settings: Any) -> dict[str, dict[str, Any]]:
    """Section -> setting -> value, of the settings that the command line gives."""
    sections = asdict(settings) if settings is not None else {}
    return {
        section: {name: value for name, value in values.items() if value is not None}
        for section, values in sections.items()
        if values is not None
    }


def _report_job(done: Any, output: Any) -> int:
    """Says what failed, what was hidden and what was written; returns the exit code."""
    from actionformer.recipes.output import least_score, nothing_shown

    shown = least_score(output.format if output.overlay is None else "overlay", output.min_score)
    hint = nothing_shown(done.best, shown)
    if hint:
        complain(f"warning: {hint}" if output.min_score is None else hint)
    code = _report_files({}, done.failed)
    parts = [f"{_counted(done.videos, 'video')}, {_counted(done.detections, 'detection')}"]
    parts[0] += f" -> {output.out}" if output.out is not None else ""
    if done.before:
        parts.append(f"{done.before:,} of the videos were done before")
    if done.hidden and output.min_score is None and not hint:
        parts.append(_hidden(done.hidden, least_score(output.format, None)))
    if done.failed and output.record is not None:
        parts.append(f"{len(done.failed):,} failed, --resume tries them again")
    if output.out is not None or done.videos > 1 or len(parts) > 1:
        complain("; ".join(parts))
    return code


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _print_report(report: Any, per_class: bool) -> None:
    for warning in report.warnings:
        complain(f"warning: {warning}")
    classes = len(report.per_class)
    table = report.table(per_class=per_class or classes <= MOST_CLASSES)
    plain_console(sys.stdout, width=None if sys.stdout.isatty() else WIDEST).print(table)
    if classes > MOST_CLASSES and not per_class:
        complain(f"{classes} classes: --per-class shows each")


def _report_files(warned: Mapping[Any, str], failed: Mapping[Any, str]) -> int:
    """Says what was wrong with which file, failures in a table at the end; returns the exit code."""
    for file, reason in warned.items():
        complain(f"warning: {file}: {reason}")
    if not failed:
        return 0
    table = TextTable("failed", "why", box=None)
    for file, reason in failed.items():
        table.add_row(file, reason)
    plain_console(width=None if sys.stderr.isatty() else WIDEST).print(table)
    return 1


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line.

    Exit codes: 0 done, 1 done in part or not well enough, 2 the call or its input was wrong.
    """
    escape_what_lacks()
    signal.signal(signal.SIGTERM, _terminated)
    atexit.register(gc.freeze)  # it would end with a search for cycles in all that torch has made
    warnings.showwarning = _said_once()
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 0
    except (CycloptsError, InputError, OSError) as error:
        complain(f"error: {one_line(error)}")
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


def _said_once() -> Callable[..., None]:
    """Prints a warning the first time that it comes, whatever Python's filters have forgotten."""
    said: set[str] = set()

    def say(message: Warning | str, *_: object, **__: object) -> None:
        line = one_line(message)
        if line not in said:
            said.add(line)
            complain(f"warning: {line}")

    return say


def _terminated(*_: object) -> None:
    """Ends the program so that what is half written is removed on the way out."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # decoding processes that end with it are no news
    sys.exit(143)
