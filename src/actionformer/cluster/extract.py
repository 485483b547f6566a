"""Extraction on a cluster: the same features as `extract` makes, on many machines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console

from actionformer.backbones import Backbone, load_backbone, with_columns
from actionformer.cluster.failures import Failures
from actionformer.cluster.manifest import everywhere, in_store, read_manifest
from actionformer.cluster.pipeline import Step, results_of
from actionformer.cluster.stages import FAILED, NEW, STOPPED, Decode, Described, Encode, Making, Row
from actionformer.core.devices import Precision
from actionformer.core.errors import InputError
from actionformer.core.locks import sole_writer
from actionformer.core.progress import counted
from actionformer.core.terminal import plain_console
from actionformer.data.collection import Paths, as_list
from actionformer.extraction.encode import layout_for
from actionformer.extraction.inputs import files_of
from actionformer.extraction.store import DTYPES
from actionformer.features import feature_file
from actionformer.recipes.extract import Extraction, say_weights, writers_of
from actionformer.video.clips import ClipLayout

FAILED_FILE = "failed.jsonl"
"""The videos of a folder of features that were set aside."""


def extract_on_cluster(
    videos: Sequence[str | Path],
    backbone: str,
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
    precision: Precision = "float32",
    cluster: str,
    attempts: int = 2,
    gpus_per_worker: float = 0.0,
    console: Console | None = None,
) -> Extraction:
    """Turns videos into features as `extract` does, on the machines of a cluster.

    Of each video OUT, a folder that all machines see, gets the same files as from `extract`. What is there is kept, so
    that a second call does the rest. Videos that cannot be read are tried again, then set aside: OUT/failed.jsonl says
    why. The other arguments are those of `extract`; `videos` may also be what `read_manifest` reads, and of `workers`
    there are by default as many as the cluster has processors.

    Args:
        cluster: work on the machines of a Ray cluster: the address of its head, auto for the one that this machine
            belongs to, or local for one that is started here and ended with the call. Videos may then also be given as
            lists of paths (.txt), tables with a column of them (.csv, .jsonl, .parquet) and addresses of object stores.
            A worker is a process that decodes and one with the backbone.
        attempts: on a cluster, how often a video is tried before it is set aside.
        gpus_per_worker: on a cluster, the share of a GPU that the backbone of a worker takes, such as 0.25; by default
            it computes on processors.

    Raises:
        InputError: as `extract`, but for videos that cannot be read; or there is no cluster, or it broke down.
    """
    name = with_columns(backbone, columns or (), time_column)
    loaded = load_backbone(name, weights, precision=precision)
    layout = layout_for(loaded, fps=fps, stride=stride, num_frames=num_frames, last_clip=last_clip)
    sources = read_manifest(videos, files_of(loaded.medium), loaded.medium)
    making = making_of(
        loaded,
        layout,
        sources.values(),
        weights=weights,
        dtype=dtype,
        batch_size=batch_size,
        overwrite=overwrite,
        precision=precision,
        gpus=gpus_per_worker,
        attempts=attempts,
    )
    console, folder = console or plain_console(quiet=True), Path(out)
    say_weights(loaded, console)
    rows = [new_row(id_, source, feature_file(folder, id_)) for id_, source in sources.items()]
    result = Extraction()
    steps = making_steps(making, gpus_per_worker, last=True)
    with (
        sole_writer(folder, writers_of(making.backbone, layout, dtype)),
        results_of(rows, steps, address=cluster, workers=workers) as results,
    ):
        failures = Failures(folder / FAILED_FILE)
        for row in unless_stopped(counted(results, len(rows), console)):
            source, path = sources[row["video"]], feature_file(folder, row["video"])
            if row["state"] == FAILED:
                failures.add(row["video"], source, row["error"], row["attempts"])
            else:
                (result.kept if row["kept"] else result.written).append(path)
            if row["warning"]:
                result.warnings[source] = row["warning"]
    result.failed.update(failures.reasons)
    result.set_aside = failures.path
    return result


def making_of(
    backbone: Backbone,
    layout: ClipLayout,
    sources: Iterable[str],
    *,
    weights: Paths = (),
    dtype: str = "float32",
    batch_size: int | None = None,
    overwrite: bool = False,
    precision: str = "float32",
    gpus: float = 0.0,
    attempts: int = 2,
) -> Making:
    """How the machines of a cluster make features, checked before anything is computed.

    Raises:
        InputError: a number that cannot be, or a backbone that depends on files which no machine has yet.
    """
    check_numbers(attempts, batch_size, gpus)
    if dtype not in DTYPES:
        raise InputError(f"dtype must be one of {', '.join(DTYPES)}, found {dtype!r}")
    files = [Path(source) for source in sources if not in_store(source)]
    fitted = backbone.fitted(files, layout.num_frames)
    if fitted.dim == 0:
        raise InputError(f"{fitted.name}: say which columns are readings: give --columns")
    return Making(
        Described(fitted),
        layout,
        tuple(str(Path(one).absolute()) for one in as_list(weights)),
        dtype=dtype,
        batch_size=batch_size,
        overwrite=overwrite,
        device="cuda" if gpus else "cpu",
        precision=precision,
        attempts=attempts,
    )


def check_numbers(attempts: int, batch_size: int | None, gpus: float) -> None:
    """Checks what a call says of its workers.

    Raises:
        InputError: a number that cannot be.
    """
    for what, number in (("attempts", attempts), ("batch_size", batch_size)):
        if number is not None and number < 1:
            raise InputError(f"{what} must be at least 1, found {number}")
    if not 0 <= gpus < math.inf or (gpus > 1 and gpus != int(gpus)):
        raise InputError(f"gpus_per_worker must be a share of a GPU such as 0.25, or whole ones, found {gpus:g}")


def making_steps(making: Making, gpus: float, *, last: bool) -> list[Step]:
    """The stages that make features; the whole of a worker's processor where nothing comes after them."""
    arguments: Mapping[str, Making] = {"making": making}
    return [
        Step(Decode, arguments, cpus=0.5),
        Step(Encode, arguments, cpus=0.5 if last else 0.25, gpus=gpus),
    ]


def new_row(video: str, source: str, features: Path, state: str = NEW) -> Row:
    """A video as all machines find it."""
    return {"video": video, "source": everywhere(source), "features": str(features.absolute()), "state": state}


def unless_stopped(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows as they come, until one says that the output cannot be written.

    Raises:
        InputError: what it says.
    """
    for row in rows:
        if row["state"] == STOPPED:
            raise InputError(f"{row['error']}; a second call does the rest")
        yield row
