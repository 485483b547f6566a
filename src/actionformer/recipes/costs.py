"""What detection with a model costs: weights, multiply-adds, speed, memory, and how long its training took."""

from __future__ import annotations

import os
import pickle
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from actionformer.core.errors import InputError, untold, warn
from actionformer.core.files import read_json_lines
from actionformer.core.memory import AnonymousPeak
from actionformer.core.run_files import METRICS
from actionformer.core.terminal import tell
from actionformer.core.words import plural
from actionformer.data.collection import FeaturedVideo, Paths, collect
from actionformer.evaluation.comparison import ComparisonReport, Costs
from actionformer.inference.annotated import detect_videos
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.nn.counting import multiply_adds
from actionformer.recipes.evaluated import EvaluatedRun
from actionformer.recipes.given import Given
from actionformer.recipes.proposals import ProposalSource, with_proposals

SAMPLE = 5
"""Videos that detection is measured on, from the shortest to the longest."""
TURNS = 3
"""Times that each is measured; the median counts."""
PEAK = "from actionformer.recipes.costs import tell_peak; tell_peak()"
"""What a process does that measures memory."""


@dataclass(frozen=True)
class Measuring:
    """How costs are measured; see `evaluate`."""

    features: Paths | None
    """Folders of feature files; by default those that each model was trained with."""
    skip_missing: bool
    other_timing: bool
    device: str
    proposals: ProposalSource | None = None
    """Of second stages that have no proposer of their own; by default the file that each was trained with."""

    @classmethod
    def of(cls, given: Given, device: str) -> Measuring:
        """With what a training was given."""
        return cls(given.features, given.skip_missing, given.other_timing, device, given.proposals)


def with_costs(
    report: ComparisonReport, entries: Mapping[str, Sequence[EvaluatedRun]], how: Measuring
) -> ComparisonReport:
    """A comparison with what each entry costs, detection as the first of its runs does it.

    Detectors take turns on the same videos, so that all see the same machine. The peak of memory is that of a process
    of its own, so that no model counts with another.
    """
    detectors = {
        name: load(runs[0].path, device=how.device, other_timing=how.other_timing) for name, runs in entries.items()
    }
    samples = {name: found for name, runs in entries.items() if (found := _sample(runs[0], detectors[name], how))}
    with untold():  # evaluation has told it
        ready = {name: partial(detect_videos, detectors[name], videos) for name, videos in samples.items()}
        products = {name: multiply_adds(detect) for name, detect in ready.items()}
        seconds = _in_turns(ready)
    costs: dict[str, Costs] = {}
    for name, runs in entries.items():
        costs[name] = Costs(_weights(detectors[name]), training_minutes=_training_minutes(runs))
        if name in samples:
            minutes = sum(one.end for one in samples[name]) / 60
            costs[name] = replace(
                costs[name],
                multiply_adds=products[name] / minutes,
                minutes_per_second=minutes / seconds[name],
                peak_mib=_peak_mib(runs[0].path, samples[name], how),
            )
    most = max(map(len, samples.values()), default=0)
    where = f"{how.device}, {plural(torch.get_num_threads(), 'thread')}" if how.device == "cpu" else how.device
    return replace(
        report,
        entries=tuple(replace(one, costs=costs[one.name]) for one in report.entries),
        measured=f"detection of {plural(most, 'video')} on {where}" if most else "",
    )


def _sample(run: EvaluatedRun, detector: Detector, how: Measuring) -> list[FeaturedVideo]:
    """Some evaluated videos with their features; none, with a warning, where there are no features of them."""
    folders = how.features or run.card.training.get("features")
    try:
        if folders is None:
            raise InputError("nobody says where the features are: give --features")
        with untold():
            found = collect(
                run.truth,
                folders,
                run.config.data,
                width=run.config.model.input_width,
                made_for=run.card.features,
                skip_missing=how.skip_missing,
                other_timing=how.other_timing,
            ).videos
            found = with_proposals(detector, found, how.proposals if detector.proposer is None else None)
    except InputError as error:
        warn(f"{run.path}: what detection costs is not measured: {error}", stacklevel=3)
        return []
    found = sorted(found, key=lambda one: one.end)
    return [found[place] for place in sorted({round(at) for at in np.linspace(0, len(found) - 1, SAMPLE)})]


def _weights(detector: Detector) -> int:
    """Of a detector and of what proposes for it."""
    own = sum(weight.numel() for weight in detector.model.parameters())
    return own if detector.proposer is None else own + _weights(detector.proposer)


def _in_turns(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of each call, the median of some turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(TURNS):
        for name, detect in calls.items():
            begun = time.perf_counter()
            detect()  # its results are on the CPU: nothing is left to do on a GPU
            taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(times) for name, times in taken.items()}


def _training_minutes(runs: Sequence[EvaluatedRun]) -> float | None:
    """Mean over runs of what their epochs took, where their logs say it."""
    minutes = []
    for run in runs:
        log = run.path / METRICS
        seconds = [row.get("seconds") for row in read_json_lines(log)] if log.is_file() else []
        if not seconds or not all(isinstance(one, int | float) for one in seconds):
            return None
        minutes.append(sum(map(float, filter(None, seconds))) / 60)
    return statistics.mean(minutes)


def _peak_mib(run: Path, videos: Sequence[FeaturedVideo], how: Measuring) -> float | None:
    """Peak memory of detection in a process of its own; None where the system does not tell, or it was killed."""
    package = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PEAK],
        input=pickle.dumps((str(run.resolve()), list(videos), how.device, how.other_timing)),
        capture_output=True,
        env=os.environ | {"PYTHONPATH": paths},
        check=False,
    )
    if done.returncode:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
        warn(f"{run}: memory is not measured: its process ended with {done.returncode} ({last:.200})", stacklevel=3)
        return None
    said = done.stdout.decode().split()[-1]
    return None if said == "None" else float(said)


def tell_peak() -> None:
    """Prints the peak of memory, MiB, of what standard input asks to be detected; run in a process of its own."""
    run, videos, device, other_timing = pickle.loads(sys.stdin.buffer.read())
    if torch.device(device).type == "cuda":
        detect_videos(load(run, device=device, other_timing=other_timing), videos)
        tell(torch.cuda.max_memory_allocated(device) / 2**20)
        return
    with AnonymousPeak() as peak:
        before = peak.mib
        detect_videos(load(run, device=device, other_timing=other_timing), videos)
    tell(None if before is None or peak.mib is None else peak.mib - before)
