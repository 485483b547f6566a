"""What training spends its time on: padding, waiting for data, arithmetic; writes benchmarks/results/training.json.

    python benchmarks/training.py [padding] [loading] [targets] [step]

Everything is timed in this process, data from the page cache. The floor of a step is three times the forward pass's
multiplications at the rate of torch's `linear`, timed in turns with it (`floor.py`). Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import median_seconds, read_result, shared_folder, write_result
from floor import fastest_products, in_turns, multiplications, seconds
from numpy.typing import NDArray

import actionformer
from actionformer.core.segments import TimeGrid
from actionformer.data.dataset import Batch, EpochLoader, TrainingSet, TrainingVideo
from actionformer.detectors.base import architecture_of
from actionformer.features import FeatureReader, open_features
from actionformer.formats.annotations import read_annotations
from actionformer.nn.assignment import assign_batch
from actionformer.nn.settings import PyramidSettings
from actionformer.settings.config import Config
from actionformer.training.loop import Trainer, truths_of
from actionformer.training.optimisation import clip_gradients

PARTS = ("padding", "loading", "targets", "step")
EPOCHS = 30
REPEATS = 7
GRID = TimeGrid(fps=1, stride=1, num_frames=1)


class Unread:
    """Stands for features of which only the length matters."""

    def __init__(self, length: int) -> None:
        self.shape = (length, 1)

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        raise NotImplementedError("only lengths are known")


def annotated(config: Config, file: Path) -> list[TrainingVideo]:
    """The training videos of an annotation file, as long as their durations say."""
    videos = []
    for video in read_annotations(file).subset(config.data.train_subset).videos.values():
        fps, stride, num_frames = config.data.fps or video.fps, config.data.stride, config.data.num_frames
        assert fps is not None
        assert stride is not None
        assert num_frames is not None
        assert video.duration is not None
        grid = TimeGrid(fps=fps, stride=stride, num_frames=num_frames)
        length = int((video.duration * fps - num_frames) / stride) + 1
        segments = grid.to_grid(video.segments).astype(np.float32)
        videos.append(TrainingVideo(video.id, Unread(length), grid, segments, video.labels))
    return videos


def padding(name: str, file: Path) -> dict[str, Any]:
    """Share of an epoch's moments that is padding: batches of like length, and batches in random order."""
    config = actionformer.load_config(name, {"training": {"batch_by_length": True}})
    dataset = TrainingSet(annotated(config, file), data=config.data, max_length=config.model.max_length, seed=0)
    loader = EpochLoader(dataset, training=config.training, pad_to=architecture_of(config).training_length())
    size = config.training.batch_size
    alike, random, repeated = [], [], []
    before: set[frozenset[int]] = set()
    for epoch in range(EPOCHS):
        crops = [dataset.crop(epoch, index) for index in range(len(dataset))]
        lengths = np.array([crop.stop - crop.start for crop in crops])
        batches = loader.batches(epoch, crops)
        order = np.random.default_rng(epoch).permutation(len(lengths))
        alike.append(share_of_padding(lengths, batches))
        random.append(share_of_padding(lengths, [order[i : i + size] for i in range(0, len(order), size)]))
        pairs = {frozenset(batch.tolist()) for batch in batches}
        repeated.append(len(pairs & before) / len(pairs))
        before = pairs
    return {
        "data": name,
        "videos": len(dataset),
        "batch_size": size,
        "random": statistics.mean(random),
        "alike": statistics.mean(alike),
        "alike_worst_epoch": max(alike),
        "batches_of_the_epoch_before": statistics.mean(repeated[1:]),
    }


def share_of_padding(lengths: NDArray[np.int64], batches: list[NDArray[np.int64]]) -> float:
    return float(1 - lengths.sum() / sum(lengths[batch].max() * len(batch) for batch in batches))


def hdf5(path: Path, array: NDArray[np.float32]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["feats"] = array


WRITERS: dict[str, Callable[[Path, NDArray[np.float32]], None]] = {
    ".npy": np.save,
    ".npz": lambda path, array: np.savez_compressed(path, feats=array),
    ".h5": hdf5,
}


def loader_of(config: Config, sources: list[FeatureReader]) -> EpochLoader:
    """Batches of made videos, with an action every 50 features."""
    videos = []
    for i, source in enumerate(sources):
        length = config.data.resize or source.shape[0]
        starts = np.arange(5, max(length - 20, 6), 50, dtype=np.float32)
        segments = np.stack((starts, starts + 10), axis=1)
        videos.append(TrainingVideo(f"v{i}", source, GRID, segments, np.zeros(len(starts), dtype=np.int64)))
    dataset = TrainingSet(videos, data=config.data, max_length=config.model.max_length, seed=0)
    return EpochLoader(dataset, training=config.training, pad_to=architecture_of(config).training_length())


def loading(name: str, length: int, folder: Path) -> list[dict[str, Any]]:
    """Time that a step waits for its batch, read in the same process, for every kind of file."""
    published = actionformer.build(name)
    config = published.config
    rng = np.random.default_rng(0)
    array = rng.standard_normal((length, config.model.input_width)).astype(np.float32)
    sources: dict[str, list[FeatureReader]] = {}
    for suffix, write in WRITERS.items():
        paths = [folder / f"{name}_{i}{suffix}" for i in range(max(4, config.training.batch_size))]
        for path in paths:
            write(path, array)
        sources[suffix] = [open_features(path) for path in paths]
    trainer = Trainer(published.model, config, steps_per_epoch=100)
    batch = next(loader_of(config, sources[".npy"]).epoch(0))
    trainer.step([batch])
    steps: list[float] = []
    waits: dict[str, list[float]] = {suffix: [] for suffix in sources}
    for epoch in range(3):
        for suffix, opened in sources.items():
            batches = loader_of(config, opened).epoch(epoch)
            waits[suffix].append(seconds(lambda batches=batches: next(batches), "cpu"))  # type: ignore[misc]
        steps.append(seconds(lambda: trainer.step([batch]), "cpu"))
    step = statistics.median(steps)
    rows = []
    for suffix, waited in waits.items():
        wait = statistics.median(waited)
        rows.append(
            {
                "model": name,
                "file": suffix,
                "features": f"{length} x {config.model.input_width}",
                "batch_size": config.training.batch_size,
                "wait_ms": 1000 * wait,
                "step_ms": 1000 * step,
                "share_waiting": wait / (wait + step),
            }
        )
    return rows


def targets() -> dict[str, float]:
    """Time of the targets of one video with 50,000 moments at level 0 and 2,000 actions."""
    rng = np.random.default_rng(0)
    start = torch.from_numpy(rng.uniform(0, 50_000, 2000)).float()
    segments = torch.stack((start, start + torch.from_numpy(rng.uniform(1, 100, 2000)).float()), dim=1)
    labels = torch.from_numpy(rng.integers(0, 20, 2000))
    model = actionformer.load_config("thumos14_i3d").model
    assert isinstance(model, PyramidSettings)
    times = {}
    for name, radius in (("center_sampling_ms", 1.5), ("all_moments_inside_ms", None)):
        times[name] = 1000 * median_seconds(
            lambda radius=radius: assign_batch(  # type: ignore[misc]
                [segments],
                [labels],
                [50_000],
                padded_length=50_000,
                strides=model.strides,
                ranges=model.regression_ranges,
                num_classes=20,
                center_radius=radius,
            )
        )
    return times


def step(precision: str) -> dict[str, Any]:
    """A step on 2 x 2304 features of THUMOS14's shape, beside matrix products, and shares of its other parts."""
    config = actionformer.build("thumos14_i3d").config.replace(training={"precision": precision})
    trainer = Trainer(architecture_of(config).network(), config, steps_per_epoch=100)
    batch = made_batch(2, 2304, 2048)
    gflop = 3 * 2 * 2e-9 * multiplications(config, 2304)
    trainer.step([batch])
    products = {name: fastest_products(name, "cpu")["linear"] for name in (precision, "float32")}
    taken, rates = in_turns(lambda: trainer.step([batch]), products, REPEATS, "cpu")
    return {
        "precision": precision,
        "gflop": gflop,
        "linear_gflops": rates[precision],
        "floor_ms": 1000 * gflop / rates[precision],
        "step_ms": 1000 * taken,
        "times_floor": taken * rates[precision] / gflop,
        "times_float32_floor": taken * rates["float32"] / gflop,
        "shares": {name: median_seconds(part) / taken for name, part in parts(trainer, batch).items()},
    }


def parts(trainer: Trainer, batch: Batch) -> dict[str, Callable[[], object]]:
    """What a step does besides forward and backward pass; the gradients are those of the last one."""
    parameters = list(trainer.model.parameters())
    return {
        "targets": lambda: trainer.criterion.losses(truths_of(batch), trainer.device),
        "clipping": lambda: clip_gradients(parameters, trainer.settings.gradient_clip),
        "optimiser": trainer.optimizer.step,
        "weight_average": lambda: trainer.average.update(trainer.model),
    }


def made_batch(size: int, length: int, width: int, classes: int = 20) -> Batch:
    """Features without padding, with 30 actions a sequence."""
    torch.manual_seed(0)
    start = torch.rand(size, 30, 1) * (length - 100)
    segments = torch.cat((start, start + 2 + 60 * torch.rand(size, 30, 1)), dim=2)
    features = torch.randn(size, length, width)
    return Batch(features, [length] * size, list(segments), list(torch.randint(0, classes, (size, 30))))


def shown(row: dict[str, Any]) -> None:
    print({name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="padding, loading, targets, step; by default all")
    chosen = parser.parse_args().parts or list(PARTS)
    figures = read_result("training")
    if "padding" in chosen:
        data = shared_folder("data/thumos14", "data/hapt", "data/salads") / "data"
        files = {"thumos14_i3d": "thumos14/thumos14.json"}
        files |= {name: f"{name}/annotations.json" for name in ("hapt", "salads")}
        figures["padding"] = [padding(name, data / file) for name, file in files.items()]
    if "loading" in chosen:
        with tempfile.TemporaryDirectory() as folder:
            shapes = {"hapt": 800, "activitynet_i3d": 750, "thumos14_i3d": 2000}
            figures["loading"] = [row for name, length in shapes.items() for row in loading(name, length, Path(folder))]
    if "targets" in chosen:
        figures["targets"] = [targets()]
    if "step" in chosen:
        figures["step"] = [step("float32"), step("bfloat16")]
    for rows in (figures[name] for name in chosen):
        for row in rows:
            shown(row)
    kept: dict[str, Any] = {name: figures[name] for name in PARTS if name in figures}
    print(write_result("training", kept))


if __name__ == "__main__":
    main()
