"""The command line: one verb a function, each a few lines; what is heavy is imported inside."""

from __future__ import annotations

import io
import sys
import warnings
from dataclasses import asdict, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from cyclopts import App, CycloptsError, Parameter
from pydantic import BaseModel
from rich.console import Console

from actionformer.config import Config, descriptions, nearest
from actionformer.errors import InputError

if TYPE_CHECKING:
    from actionformer.detections import Detections

app = App(
    name="actionformer",
    help="Temporal action localization: find every action in a video, when it starts, when it ends, what it is.",
    version_flags=["--version"],
    help_format="plaintext",
    default_parameter=Parameter(negative_iterable=(), consume_multiple=True),
)


# Every `--help` parses the whole file that a class of options says it comes from: this one is nearly empty.
_SMALL_SOURCE = {"__module__": "actionformer.presets"}


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


_sections = [(name, _changes_of(name, type(section)) | None, None) for name, section in Config()]
Changes: Any = make_dataclass("Changes", _sections, namespace=_SMALL_SOURCE)
Settings = Annotated[Changes | None, Parameter(name="*", group="Settings", show_default=False)]
Device = Annotated[str, Parameter(help="cpu, cuda, cuda:1, ...")]
Flag = Annotated[bool, Parameter(negative=())]
WIDEST = 1000  # columns of a table in a file
Precision = Literal["float32", "bfloat16", "float16"]


@app.command
def demo(out: Path = Path("runs/demo"), *, seed: int = 0, overwrite: Flag = False) -> int:
    """Show the whole way on data made for it: generate, train, evaluate, detect in a sequence not seen before.

    Example: actionformer demo

    Parameters
    ----------
    out
        Where data, run and detections are written.
    seed
        Of data and training.
    overwrite
        Replace an earlier demo there.
    """
    from actionformer.recipes.demo import demo as run

    return run(out, seed=seed, overwrite=overwrite, console=_console(sys.stdout))


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
    """
    from actionformer.config import load_config
    from actionformer.recipes import train as run

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
        device=device,
        console=_console(),
    )
    print(f"model: {out}")


@app.command
def evaluate(
    run: Path,
    *,
    annotations: Path | None = None,
    features: list[Path] | None = None,
    subset: list[str] | None = None,
    tiou: str | None = None,
    skip_missing: Flag = False,
    device: Device = "cpu",
    precision: Precision = "float32",
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
    """
    from actionformer.recipes import evaluate_run

    report = evaluate_run(
        run,
        annotations=annotations,
        features=features,
        subset=subset,
        tiou=tiou,
        skip_missing=skip_missing,
        device=device,
        precision=precision,
    )
    _print_report(report)


@app.command
def score(
    *,
    annotations: Path,
    detections: Path,
    subset: list[str] | None = None,
    tiou: str = "0.3:0.7:0.1",
    json: Path | None = None,
) -> None:
    """Score a file of detections against annotations: mAP, Recall@kx, AR@AN.

    Example: actionformer score --annotations thumos14.json --detections detections.json --subset test

    Parameters
    ----------
    annotations
        Ground truth, ActivityNet JSON.
    detections
        Results JSON, or CSV with the columns video, label, start, end, score.
    subset
        Subsets to evaluate on, in any case; by default all videos.
    tiou
        start:stop:step or a list a,b,c.
    json
        Where to write all figures.
    """
    from actionformer.evaluation import evaluate as run

    report = run(annotations, detections, subset=subset, tiou=tiou)
    if json is not None:
        report.to_json(json)
    _print_report(report)


@app.command
def detect(
    run: Path,
    *inputs: Path,
    out: Path | None = None,
    format: Literal["json", "csv", "table"] | None = None,
    min_score: float = 0.0,
    classes: list[str] | None = None,
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    duration: float | None = None,
    device: Device = "cpu",
    precision: Precision = "float32",
) -> int:
    """Find the actions in feature files.

    Example: actionformer detect runs/thumos14 features/video_test_0000004.npy --min-score 0.3

    Parameters
    ----------
    run
        A model directory.
    inputs
        Feature files, or folders of them.
    out
        Where to write; by default a table on the terminal. The ending tells the format.
    format
        json (ActivityNet results), csv or table.
    min_score
        Leave out what scores below.
    classes
        Only these classes.
    fps
        Frames per second of the video; by default the sidecar's, then the model's. So are the next two.
    stride
        Frames between neighbouring features.
    num_frames
        Frames a feature covers.
    duration
        Of the video, seconds; by default the sidecar's, then what the features cover.
    """
    from actionformer.features import FeatureSpec
    from actionformer.model_directory import load_settings
    from actionformer.recipes import detect_files

    known = load_settings(run)[1].class_names
    for name in classes or []:
        if name not in known:
            raise InputError(f"no class {name!r}{nearest(name, list(known))}")
    timing = FeatureSpec(fps=fps, stride=stride, num_frames=num_frames, duration=duration)
    found, failed = detect_files(run, inputs, timing=timing, device=device, precision=precision)
    chosen = {video: one.above(min_score) for video, one in found.items()}
    if classes:
        chosen = {video: one.of(classes) for video, one in chosen.items()}
    _write_detections(chosen, out, format)
    for path, reason in failed.items():
        print(f"error: {path}: {reason}", file=sys.stderr)
    return 1 if failed else 0


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
    from actionformer.interop import convert as run

    run(config, checkpoint, directory, annotations=annotations)
    print(f"model: {directory}")


@app.command
def info(directory: str) -> None:
    """Say what a model is: classes, features, levels, size, training. Of a preset or TOML file, the settings.

    Example: actionformer info runs/thumos14

    Parameters
    ----------
    directory
        A model directory, a preset's name or a TOML file.
    """
    from actionformer.config import load_config, preset_names

    presets = preset_names()
    if directory in presets or directory.endswith(".toml"):
        print(load_config(directory).to_toml(), end="")
        return
    if not Path(directory).is_dir():
        raise InputError(f"{directory}: no model directory, and no preset{nearest(directory, presets)}")
    from actionformer.recipes.describe import describe

    _console(sys.stdout).print(describe(directory))


def _given(settings: Any) -> dict[str, dict[str, Any]]:
    """Section -> setting -> value, of the settings that the command line gives."""
    sections = asdict(settings) if settings is not None else {}
    return {
        section: {name: value for name, value in values.items() if value is not None}
        for section, values in sections.items()
        if values is not None
    }


def _console(file: Any = None) -> Console:
    return Console(file=file or sys.stderr)


def _print_report(report: Any) -> None:
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    _console(sys.stdout).print(report.table())


def _write_detections(detections: dict[str, Detections], out: Path | None, format_: str | None) -> None:
    from actionformer.detections import results_csv, results_json, results_table
    from actionformer.files import write_whole

    by_ending = {".csv": "csv", ".txt": "table"}
    kind = format_ or (by_ending.get(out.suffix.lower(), "json") if out else "table")
    if kind == "table":
        page = io.StringIO()
        Console(file=page if out else None, width=WIDEST if out else None).print(results_table(detections))
        text = page.getvalue()
    else:
        text = results_json(detections) if kind == "json" else results_csv(detections)
    if out is not None:
        write_whole(out, text)
    else:
        print(text, end="")


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line.

    Exit codes: 0 done, 1 done in part or not well enough, 2 the call or its input was wrong.
    """
    warnings.showwarning = lambda message, *_, **__: print(f"warning: {_one_line(message)}", file=sys.stderr)
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 0
    except (CycloptsError, InputError, OSError) as error:
        print(f"error: {_one_line(error)}", file=sys.stderr)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


def _one_line(message: object) -> str:
    return " ".join(str(message).split())
