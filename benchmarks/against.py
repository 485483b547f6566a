"""The program beside an earlier revision: no detector may slow another; writes benchmarks/results/against_*

    python benchmarks/against.py REVISION [--repeats N] [--starts N] [--threads N] [--quick] [--out FOLDER]

Of ActionFormer with THUMOS14's shape: the start of `detect` in fresh processes, on 100 features and with all imports;
the forward pass as the detector runs it, on 2,304 features; a training step on two such sequences. The two revisions
take turns, call by call, each in processes of its own, so that both see the same machine; a ratio is the median over
the pairs. Of starts, time of the processor is told too, which other programs disturb less. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, write_result

import actionformer
from actionformer.data.dataset import Batch
from actionformer.model_directory import save_model
from actionformer.training.loop import Trainer

ROOT = Path(__file__).resolve().parents[1]
PRESET = "thumos14_i3d"
SHAPE = {"input_dim": 2048, "num_classes": 20}
LENGTH, SEQUENCES, SHORT = 2304, 2, 100
CALLS = ("forward", "training step")
DETECT = "from actionformer.cli import main; main()"
Pairs = list[tuple[float, float]]
"""Seconds of now, and of before."""


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """The source of a revision, in a worktree that is removed in the end."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), revision], check=True)
    try:
        yield folder / "src"
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def environment(source: Path, threads: int) -> dict[str, str]:
    """In which a process finds the program of one revision."""
    return {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": str(threads)}


# In a process of its own, whose environment says which revision is imported above.


def calls(length: int) -> dict[str, Callable[[], object]]:
    """What is timed, of a network with fresh weights."""
    torch.manual_seed(0)
    detector = actionformer.build(actionformer.load_config(PRESET, {"model": SHAPE}))
    features = torch.randn(1, length, 2048)
    valid = torch.ones(1, length, dtype=torch.bool)
    start = torch.rand(SEQUENCES, 30, 1) * 0.9 * length
    segments = torch.cat((start, start + 2 + 0.02 * length * torch.rand(SEQUENCES, 30, 1)), dim=2)
    labels = torch.randint(0, 20, (SEQUENCES, 30))
    batch = Batch(features.repeat(SEQUENCES, 1, 1), [length] * SEQUENCES, list(segments), list(labels))
    network = detector.runner.network  # packed once; training below has a network of its own
    model = actionformer.build(detector.config).model
    trainer = Trainer(model, detector.config, steps_per_epoch=100)

    def forward() -> None:
        with torch.inference_mode():
            network(features, valid)

    return {"forward": forward, "training step": lambda: trainer.step([batch])}


def answer(length: int) -> None:
    """Reads names of calls, line by line, and prints how long each took."""
    known = calls(length)
    for line in sys.stdin:
        begun = time.perf_counter()
        known[line.strip()]()
        print(time.perf_counter() - begun, flush=True)


def write_model(folder: Path) -> None:
    """A model directory of this revision."""
    torch.manual_seed(0)
    detector = actionformer.build(actionformer.load_config(PRESET, {"model": SHAPE, "data": {"fps": 30}}))
    save_model(folder, detector.model, detector.config, detector.card)


class Worker:
    """A process with one revision, which makes a call when it is told to."""

    def __init__(self, source: Path, threads: int, length: int) -> None:
        command = [sys.executable, __file__, "--answer", str(length)]
        env = environment(source, threads)
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, name: str) -> float:
        """How long a call takes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self) -> None:
        """Closes it."""
        self.process.communicate()


def of_calls(sources: tuple[Path, Path], threads: int, length: int, repeats: int) -> dict[str, Pairs]:
    """Both revisions in turns, which change who is first."""
    workers = [Worker(source, threads, length) for source in sources]
    pairs: dict[str, Pairs] = {name: [] for name in CALLS}
    try:
        for turn in range(repeats + 1):  # the first does not count
            for name, taken in pairs.items():
                now, before = (partial(worker.seconds, name) for worker in workers)
                pair = in_turn(turn, now, before)
                taken += [pair] * (turn > 0)
    finally:
        for worker in workers:
            worker.end()
    return pairs


def in_turn(turn: int, now: Callable[[], Any], before: Callable[[], Any]) -> tuple[Any, Any]:
    """What both say; of even turns the present one is asked first."""
    if turn % 2 == 0:
        first = now()
        return first, before()
    other = before()
    return now(), other


def of_starts(sources: tuple[Path, Path], threads: int, repeats: int) -> dict[str, Pairs]:
    """Both revisions in turns; the model directory is of the one before, which the present one reads too."""
    pairs: dict[str, Pairs] = {"start of detect": [], "start of detect, processor": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old = environment(sources[1], threads)
        subprocess.run([sys.executable, __file__, "--write-model", str(folder / "run")], check=True, env=old)
        np.save(folder / "video.npy", np.random.default_rng(0).standard_normal((SHORT, 2048)).astype(np.float32))
        arguments = [sys.executable, "-c", DETECT, "detect", str(folder / "run"), str(folder / "video.npy")]

        def started(source: Path) -> tuple[float, float]:
            begun, used = time.perf_counter(), processor_seconds()
            done = subprocess.run(arguments, check=True, env=environment(source, threads), capture_output=True)
            assert done.stdout
            return time.perf_counter() - begun, processor_seconds() - used

        for turn in range(repeats + 1):  # the first compiles and fills the page cache
            now, before = in_turn(turn, *(partial(started, source) for source in sources))
            for taken, *pair in zip(pairs.values(), now, before, strict=True):
                taken += [(pair[0], pair[1])] * (turn > 0)
    return pairs


def processor_seconds() -> float:
    """Of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def summary(pairs: Pairs) -> dict[str, float]:
    """Medians in milliseconds, and of the ratios the median and the quartiles."""
    ratios = [now / before for now, before in pairs]
    least, middle, most = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return {
        "now_ms": 1e3 * statistics.median(now for now, _ in pairs),
        "before_ms": 1e3 * statistics.median(before for _, before in pairs),
        "ratio": middle,
        "ratio_lower_quartile": least,
        "ratio_upper_quartile": most,
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", nargs="?", default="HEAD~1")
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--starts", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--quick", action="store_true", help="short sequences, twice: to see that it runs")
    parser.add_argument("--out", type=Path, help="where to write the figures")
    parser.add_argument("--answer", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--write-model", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        answer(options.answer)
    elif options.write_model:
        write_model(options.write_model)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Both revisions, in processes of their own."""
    length, repeats, starts = (64, 2, 2) if options.quick else (LENGTH, options.repeats, options.starts)
    with tempfile.TemporaryDirectory() as name, checked_out(options.revision, Path(name) / "before") as before:
        sources = ROOT / "src", before
        found = of_starts(sources, options.threads, starts)
        found |= of_calls(sources, options.threads, length, repeats)
    rows = {part: summary(pairs) for part, pairs in found.items()}
    for part, row in rows.items():
        print(
            f"{part}: {row['now_ms']:.1f} ms now, {row['before_ms']:.1f} before; {row['ratio']:.3f} times "
            f"({row['ratio_lower_quartile']:.3f} to {row['ratio_upper_quartile']:.3f})"
        )
    if folder := options.out or (None if options.quick else RESULTS):
        contents = {"revision": options.revision, "threads": options.threads, **rows}
        write_result(f"against_{options.revision.replace('/', '_')}", contents, folder=folder)


if __name__ == "__main__":
    main()
