"""Detection in many files: what is found is written as it comes, a kill loses nothing, and a later call goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.hashes import hash_of
from actionformer.detections import Detections
from actionformer.model_directory import WEIGHTS
from actionformer.recipes.detect import Search, Searched
from actionformer.recipes.output import Output, least_score
from actionformer.recipes.record import Record


@dataclass
class Done:
    """What a job did."""

    videos: int = 0
    """With results, those of earlier calls too."""
    detections: int = 0
    before: int = 0
    """Videos that earlier calls had done."""
    hidden: int = 0
    """Detections of this call that score too little for what is written."""
    best: float | None = None
    """The best score of this call."""
    failed: dict[str, str] = field(default_factory=dict)
    """File -> what was wrong with it."""


def shard_of(files: Mapping[Path, str], shard: str | None) -> dict[Path, str]:
    """Every N-th of the files in the order of their ids, from the K-th on, of `K/N`: all shards together are all files.

    Raises:
        InputError: no such shard.
    """
    if shard is None:
        return dict(files)
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", shard)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"shard must be K/N with K from 1 to N, such as 3/100, found {shard!r:.40}")
    chosen = set(sorted(files, key=lambda file: files[file])[int(found[1]) - 1 :: int(found[2])])
    return {file: id_ for file, id_ in files.items() if file in chosen}


def run_job(
    search: Search,
    output: Output,
    *,
    classes: list[str] | None,
    resume: bool,
    shard: str | None,
    alone: bool,
    complain: Callable[[str], None],
) -> Done:
    """Looks at every source that has no result yet, and writes what is found.

    Args:
        search: what is looked at.
        output: where results go; checked before.
        classes: those that are wanted, by default all.
        resume: go on from an earlier call.
        shard: which part of the files the sources are.
        alone: a single file was given, whose failure is an error.
        complain: is told what users should know of a file.

    Raises:
        InputError: something cannot be written, the job was begun with other settings, or a single file failed.
    """
    with output.open(_settings(search, output, classes, shard), resume=resume) as record:
        record.check_unchanged(search.sources)
        done = Done(before=len(record.done))
        todo = [video for video in search.sources if video not in record.done]
        with _telling_of_a_stop(record, output, len(search.sources), complain):
            for one in search.results(todo):
                if one.warning:
                    complain(f"warning: {one.source}: {one.warning}")
                if one.found is None and alone:
                    raise InputError(f"{one.source}: {one.failed}")
                found = one.found.of(classes) if one.found is not None and classes else one.found
                _take(one, found, output, record, done)
        output.finish(record, search.sources)
        done.videos, done.detections, done.failed = len(record.done), record.detections, record.failed
    return done


@contextmanager
def _telling_of_a_stop(record: Record, output: Output, videos: int, complain: Callable[[str], None]) -> Iterator[None]:
    """Says what Ctrl-C or SIGTERM leaves of a job."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if record.done and output.record is not None:
            complain(f"stopped: {len(record.done):,} of {videos:,} videos are done, --resume goes on")
        raise


def _take(one: Searched, found: Detections | None, output: Output, record: Record, done: Done) -> None:
    """Writes what was found in one of the files: its own files first, so that what the record has is whole."""
    if found is None:
        record.fail(one.video, one.source, one.failed or "")
        return
    done.best = max([*found.scores[:1].tolist(), *([] if done.best is None else [done.best])], default=None)
    shown = found.above(least_score(output.format, output.min_score))
    done.hidden += len(found) - len(shown)
    reason = output.draw(one.video, one.source, found)
    output.write(one.video, one.source, shown)
    record.add(one.video, one.source, shown)
    if reason is not None:
        record.fail(one.video, one.source, reason)


def _settings(search: Search, output: Output, classes: list[str] | None, shard: str | None) -> dict[str, Any]:
    """All that results depend on but the videos themselves."""
    detector = search.detector
    sections = detector.config.model_dump(mode="json", exclude={"training", "evaluation"})
    timing = {name: getattr(search.timing, name) for name in ("fps", "stride", "num_frames", "duration")}
    return {
        "model": hash_of([search.run / WEIGHTS]),
        "class_names": list(detector.class_names),
        "precision": detector.precision,
        "backbone": search.videos.backbone,
        **timing,
        "classes": classes,
        "format": output.format,
        "min_score": least_score(output.format, output.min_score),
        "shard": shard,
        **{f"{section}.{name}": value for section, values in sections.items() for name, value in values.items()},
    }
