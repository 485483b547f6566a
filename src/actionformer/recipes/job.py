"""Detection in many files: what is found is written as it comes, a kill loses nothing, and a later call goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from actionformer.core.errors import InputError
from actionformer.core.hashes import hash_of
from actionformer.core.progress import Progress
from actionformer.core.run_files import CLASSIFIER, PROPOSER, WEIGHTS
from actionformer.core.terminal import say, telling_of_a_stop
from actionformer.core.words import part, plural
from actionformer.recipes.output import Output
from actionformer.recipes.proposals import model_hash
from actionformer.recipes.record import Record
from actionformer.recipes.search import Search, Searched
from actionformer.recipes.wanted import Wanted


@dataclass(frozen=True)
class Done:
    """What a job did."""

    output: Output
    videos: int = 0
    """With results, those of earlier calls too."""
    detections: int = 0
    before: int = 0
    """Videos that earlier calls had done."""
    hidden: str | None = None
    """What to tell of detections of this call that score too little for what is written."""
    hint: str | None = None
    """What to tell when something was found, and all of it scores too little to be shown."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """File -> what was wrong with it."""
    set_aside: Path | None = None
    """On a cluster, the file that has a line for each of them."""

    @property
    def summary(self) -> str | None:
        """What was done and where it is, where that is not seen anyway."""
        out = self.output.out
        parts = [f"{plural(self.videos, 'video')}, {plural(self.detections, 'detection')}"]
        parts[0] += f" -> {out}" if out is not None else ""
        if self.before:
            parts.append(f"{self.before:,} of them done before")
        if self.hidden and not self.hint:
            parts.append(self.hidden)
        if self.failed and self.output.record is not None:
            parts.append(f"{len(self.failed):,} failed, --resume tries them again")
        return "; ".join(parts) if out is not None or self.videos > 1 or len(parts) > 1 else None


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
    wanted: Wanted,
    *,
    run: Path,
    resume: bool = False,
    shard: str | None = None,
    alone: bool = False,
) -> Done:
    """Looks at every source that has no result yet, and writes what is found.

    Args:
        search: what is looked at.
        output: where results go; checked before.
        wanted: which of them.
        run: the detector's model directory.
        resume: go on from an earlier call.
        shard: which part of the files the sources are.
        alone: a single file was given, whose failure is an error.

    Raises:
        InputError: something cannot be written, the job was begun with other settings, or a single file failed.
    """
    with output.open(_settings(search, output, wanted, run, shard), resume=resume) as record:
        record.check_unchanged(search.sources)
        before = len(record.done)
        todo = [video for video in search.sources if video not in record.done]
        stop = telling_of_a_stop(search.console, lambda: _left_of(record, output, len(search.sources)))
        with stop, closing(search.results(todo)) as results:
            for done, one in enumerate(results, before + 1):
                if one.warning:
                    say(search.console, f"warning: {one.source}: {one.warning}")
                if one.found is None and alone:
                    raise InputError(f"{one.source}: {one.failed}")
                _take(one, wanted, output, record, search.console if alone else None)
                if search.on_progress is not None:
                    search.on_progress(Progress("video", done, len(search.sources), str(one.source), one.failed))
        output.finish(record, search.sources)
        found = len(record.done), record.detections, before
        return Done(output, *found, wanted.left_out, wanted.nothing, record.failed)


def _left_of(record: Record, output: Output, videos: int) -> str:
    """What a later call can go on with where a job of so many videos is stopped."""
    there = record.done and output.record is not None
    return f"{part(len(record.done), videos, 'videos are done')}, --resume goes on" if there else ""


def _take(one: Searched, wanted: Wanted, output: Output, record: Record, console: Console | None) -> None:
    """Writes what was found in one of the files: its own files first, so that what the record has is whole.

    What takes long with that file is shown on `console`, if there is one.
    """
    if one.found is None:
        record.fail(one.video, one.source, one.failed or "")
        return
    shown, source = wanted(one.found), Path(one.source)
    reason = output.film(one.video, source, wanted.drawn(one.found), console)
    output.write(one.video, source, shown)
    record.add(one.video, one.source, shown)
    if reason is not None:
        record.fail(one.video, one.source, reason)


def _proposed(search: Search, run: Path) -> dict[str, str]:
    """What tells the proposals of a second stage from others."""
    if not search.detector.second_stage:
        return {}
    return {"proposals": model_hash(run / PROPOSER) if search.proposals is None else search.proposals.identity()}


def _settings(search: Search, output: Output, wanted: Wanted, run: Path, shard: str | None) -> dict[str, Any]:
    """All that results depend on but the videos themselves."""
    detector, scores = search.detector, search.video_scores
    sections = detector.config.model_dump(mode="json", exclude={"training", "evaluation"})
    timing = {name: getattr(search.timing, name) for name in ("fps", "stride", "num_frames", "duration")}
    return {
        "model": hash_of([run / WEIGHTS, *([run / CLASSIFIER] if detector.classifier is not None else [])]),
        "class_names": list(search.class_names),
        **({} if scores is None else {"video_scores": hash_of([Path(scores.source)])}),
        **_proposed(search, run),
        "precision": detector.precision,
        "backbone": search.videos.backbone,
        **timing,
        **wanted.settings,
        "margin": output.margin if output.clips is not None else None,
        "format": output.format,
        "shard": shard,
        **{f"{section}.{name}": value for section, values in sections.items() for name, value in values.items()},
    }
