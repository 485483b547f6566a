"""The demo: the whole way from made videos to a timeline, against the frame-wise baseline."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from rich.console import Console

from actionformer.backbones import Backbone, load_backbone
from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.terminal import plain_console, say
from actionformer.data.collection import collect
from actionformer.data.dataset import TrainingVideo, place_on_grid
from actionformer.demo.framewise import frame_wise_baseline
from actionformer.demo.reels import FPS
from actionformer.demo.synthetic import SyntheticData, make
from actionformer.evaluation.report import score
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import named_rows, write_results
from actionformer.formats.table import results_table
from actionformer.inference.loading import load
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.extract import extract
from actionformer.recipes.run_directory import check_unoccupied
from actionformer.recipes.search import Search
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.video.overlay import write_overlay

BACKBONE = "motion"
STRIDE, NUM_FRAMES = 2, 4  # at 15 frames a second: the shortest action spans six features
MOST_PROCESSES = 8
TIOU = 0.5
ENOUGH = 0.9
MARGIN = 0.2
CONFIG = Config().replace(
    data={"test_subset": ["test"]},
    model={
        "width": 64,
        "branch_blocks": 4,
        "regression_ranges": [[0, 4], [4, 8], [8, 16], [16, 32], [32, 10000]],
        "max_length": 1024,
    },
    training={"learning_rate": 2e-3, "batch_size": 2, "epochs": 10, "warmup_epochs": 2, "evaluate_every": 4},
)


def demo(
    out: str | Path = "runs/demo", *, seed: int = 0, overwrite: bool = False, console: Console | None = None
) -> int:
    """Shows the whole way on videos made for it: extract features, train, evaluate, detect in a video not seen before.

    Args:
        out: where videos, features, run, detections and a video with them drawn in are written.
        seed: seed of the videos and of training.
        overwrite: replace an earlier demo there.
        console: where figures and progress are shown; by default nowhere.

    Returns:
        0, or 1 if test mAP@0.5 is below 0.9 or less than 0.2 above that of frame-wise classification.

    Raises:
        InputError: there is a run in `out` and it is not to be overwritten, or OpenCV is not installed.
    """
    out, console = Path(out), console or plain_console(quiet=True)
    features, unseen, overlay = out / "data" / "features", out / "unseen.json", out / "unseen_overlay.mp4"
    config = load_config(CONFIG, {"training": {"seed": seed}})
    check_unoccupied(out / "run", resume=False, overwrite=overwrite)
    backbone = load_backbone(BACKBONE)
    tell = _Teller(console)

    data = make(out / "data", seed=seed)
    tell(f"{len(data.videos) + 1} videos made: 6 kinds of action that overlap, of 0.8 to 8 s, in noise")
    _extract(data, backbone, features, console)
    tell(f"features extracted by the backbone {backbone.name!r}: {backbone.dim} numbers every {STRIDE / FPS:.2f} s")
    with _one_thread():
        train(config, data.annotations, features, out / "run", overwrite=overwrite, console=console)
        tell(f"model trained in {config.training.all_epochs} epochs")
        report = evaluate(out / "run", tiou=(0.3, 0.4, TIOU, 0.6, 0.7))
    console.print(report.table(per_class=True))
    reached, baseline = report.map[report.tiou.index(TIOU)], _frame_wise(config, data.annotations, features)
    tell(f"test mAP@{TIOU} {reached:.1%}; frame-wise classification of the same features {baseline:.1%}")

    found = _detect(out / "run", data.unseen, unseen, overlay)
    console.print(results_table(named_rows({data.unseen.stem: found})))
    tell("looked for actions in a video not seen before, and drawn them into it")
    _say_where(console, videos=data.unseen.parent, annotations=data.annotations, features=features, model=out / "run",
               detections=unseen, overlay=overlay)  # fmt: skip
    say(console, f"look at it: actionformer view {out / 'run'} --videos {data.unseen.parent}")
    good = reached >= ENOUGH and reached - baseline >= MARGIN
    if not good:
        say(console, f"not good enough: expected {ENOUGH:.0%}, and {MARGIN:.0%} above frame-wise classification")
    return 0 if good else 1


class _Teller:
    """Prints what was done, and the seconds since the beginning."""

    def __init__(self, console: Console) -> None:
        self.console, self.started = console, time.perf_counter()

    def __call__(self, done: str) -> None:
        say(self.console, f"{time.perf_counter() - self.started:4.0f} s  {done}")


def _say_where(console: Console, **places: Path) -> None:
    for what, where in places.items():
        say(console, f"{what}: {where}")


@contextmanager
def _one_thread() -> Iterator[None]:
    """So small a model gains little by more, and on a busy machine threads that wait for one another lose much."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _extract(data: SyntheticData, backbone: Backbone, features: Path, console: Console) -> None:
    extract(
        data.videos,
        backbone,
        features,
        stride=STRIDE,
        num_frames=NUM_FRAMES,
        workers=min(os.cpu_count() or 1, MOST_PROCESSES),
        overwrite=True,
        console=console,
    )


def _detect(run: Path, video: Path, results: Path, overlay: Path) -> Detections:
    """Detections of a video that people are shown, drawn into a copy of it; all are written."""
    detector = load(run)
    found = Search(detector, [video]).found().detections[video.stem]
    write_results(results, {video.stem: found})
    shown = detector.shown(found)
    write_overlay(video, shown, overlay)
    return shown


def _frame_wise(config: Config, annotations: Path, features: Path) -> float:
    """Test mAP of the baseline."""
    every = read_annotations(annotations)
    training, test = (every.subset(name) for name in ("training", "test"))

    def placed(subset: Annotations) -> list[TrainingVideo]:
        return place_on_grid(collect(subset, features, config.data).videos, None)

    detections = frame_wise_baseline(
        placed(training),
        placed(test),
        every.class_names,
        score=lambda found: score(training, found, tiou=[TIOU]).average,
    )
    return score(test, detections, tiou=[TIOU]).average
