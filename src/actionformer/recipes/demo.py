"""The demo: the whole way on made data, against the frame-wise baseline."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from actionformer.config import Config, load_config
from actionformer.data.annotations import Annotations, read_annotations
from actionformer.data.collection import collect
from actionformer.data.dataset import TrainingVideo, place_on_grid
from actionformer.data.framewise import frame_wise_baseline
from actionformer.data.synthetic import SyntheticData, make
from actionformer.detections import results_table, write_results
from actionformer.evaluation import evaluate
from actionformer.recipes.evaluate import evaluate_run
from actionformer.recipes.run_directory import check_unoccupied
from actionformer.recipes.train import train

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
    training={"learning_rate": 1e-3, "batch_size": 2, "epochs": 9, "warmup_epochs": 2, "evaluate_every": 4},
)


def demo(out: str | Path, *, seed: int, overwrite: bool, console: Console) -> int:
    """Generates, trains, evaluates, detects in a sequence not seen before, and says where everything lies.

    Returns:
        0, or 1 if test mAP@0.5 is below 0.9 or less than 0.2 above that of frame-wise classification.
    """
    out = Path(out)
    started = time.perf_counter()
    config = load_config(CONFIG, {"training": {"seed": seed}})
    check_unoccupied(out / "run", resume=False, overwrite=overwrite)
    data = make(out / "data", seed=seed)
    console.print(f"data: {data.annotations}: 6 kinds of action that overlap, of 0.8 to 8 s, in noise")
    detector = train(config, data.annotations, data.features, out / "run", overwrite=overwrite, console=console)
    report = evaluate_run(out / "run", tiou=(0.3, 0.4, TIOU, 0.6, 0.7))
    console.print(report.table(per_class=True))
    reached = report.map[report.tiou.index(TIOU)]
    baseline = _frame_wise(config, data)

    found = detector.detect(data.unseen)
    write_results(out / "unseen.json", {"unseen": found})
    console.print(results_table({"unseen": found.above(0.5)}))
    console.print(f"mAP@{TIOU} {reached:.3f}; frame-wise classification on the same features {baseline:.3f}")
    for what, where in (("data", data.annotations.parent), ("model", out / "run"), ("detections", out / "unseen.json")):
        console.print(f"{what}: {where}", soft_wrap=True)
    console.print(f"{time.perf_counter() - started:.0f} s in all")
    good = reached >= ENOUGH and reached - baseline >= MARGIN
    if not good:
        console.print(f"not good enough: expected {ENOUGH}, and {MARGIN} above frame-wise classification")
    return 0 if good else 1


def _frame_wise(config: Config, data: SyntheticData) -> float:
    """Test mAP of the baseline."""
    annotations = read_annotations(data.annotations)
    training, test = (annotations.subset(name) for name in ("training", "test"))
    detections = frame_wise_baseline(
        _placed(config, training, data),
        _placed(config, test, data),
        annotations.class_names,
        score=lambda found: evaluate(training, found, tiou=[TIOU]).average,
    )
    return evaluate(test, detections, tiou=[TIOU]).average


def _placed(config: Config, annotations: Annotations, data: SyntheticData) -> list[TrainingVideo]:
    videos = collect(annotations, data.features, config.data).videos
    return place_on_grid(videos, None)
