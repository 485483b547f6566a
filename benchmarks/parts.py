"""What `speed.py` times: a function a part, called in a process of its own, so that its peak memory is its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import evaluation
import numpy as np
import suppression
import torch
from common import available_mib, shared_folder
from floor import fastest_products, in_turns, multiplications, seconds
from training import made_batch

import actionformer
from actionformer import Config, Detector, load, score, suppress
from actionformer.core.memory import AnonymousPeak
from actionformer.core.segments import TimeGrid
from actionformer.detectors.base import architecture_of
from actionformer.features import FeatureSpec, write_sidecar
from actionformer.inference.graphs import Graphs
from actionformer.inference.runner import LARGEST_GRAPH
from actionformer.inference.sequences import ArrayRows, FeatureSequence
from actionformer.inference.settings import DecodingSettings
from actionformer.model_directory import save_model
from actionformer.nn.decoding import decode
from actionformer.recipes.search import Search
from actionformer.training.loop import Trainer

REPEATS, REPEATS_OF_LONG = 7, 3
VERY_LONG = 30.0  # seconds of one call that is not repeated
LONG = 8.0  # seconds of one call from which fewer repeats do
MIB_PER_MOMENT = 0.06
"""Peak memory of a float32 pass over features of a network 512 channels wide, measured, with some to spare."""
FPS = 30.0
STRIDES = (1, 2, 4, 8, 16, 32)

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    part: str
    of: str = "thumos14_i3d"
    """A preset, or whose data."""
    length: int = 0
    """Features of a sequence, or candidates."""
    batch: int = 1
    """Sequences, or files."""
    precision: str = "float32"
    device: str = "cpu"
    padding: str = "exact"
    repeats: int = REPEATS


class NotMeasuredError(Exception):
    """Why a case has no figure on this machine."""


def measure(case: Case) -> Row:
    """The figures of a case, or why there are none."""
    try:
        if case.device == "cuda" and not torch.cuda.is_available():
            raise NotMeasuredError("no CUDA device")
        return PARTS[case.part](case)
    except NotMeasuredError as reason:
        return {"not_measured": str(reason)}


def timed(case: Case, function: Callable[[], object], gmac: float = 0.0) -> Row:
    """Median time and peak memory of a function; with its multiplications, in 10^9, how it stands to the floor.

    Memory is that of the first call, all that the process holds; it does not count for the time, unless it is so long
    that it remains the only one.
    """
    with _peak(case.device) as peak:
        first = seconds(function, case.device)
    repeats = case.repeats if first < LONG else min(case.repeats, REPEATS_OF_LONG)
    products = fastest_products(case.precision, case.device) if gmac else {}
    if first > VERY_LONG:
        repeats = 1
        taken, rates = first, in_turns(lambda: None, products, case.repeats, case.device)[1]
    else:
        taken, rates = in_turns(function, products, repeats, case.device)
    row: Row = {"ms": 1000 * taken, "repeats": repeats, "peak_mib": peak.mib}
    if gmac:
        floor = 2 * gmac / max(rates.values())
        row |= {"gflop": 2 * gmac, "gflops": rates, "floor_ms": 1000 * floor, "times_floor": taken / floor}
        row["times_linear"] = taken * rates["linear"] / (2 * gmac)
    return row


class _PeakOfCuda:
    """Peak memory of a GPU while it is entered."""

    mib: float | None = None

    def __enter__(self) -> _PeakOfCuda:
        torch.cuda.reset_peak_memory_stats()
        return self

    def __exit__(self, *_: object) -> None:
        self.mib = torch.cuda.max_memory_allocated() / 2**20


def _peak(device: str) -> AbstractContextManager[AnonymousPeak | _PeakOfCuda]:
    return AnonymousPeak() if device == "cpu" else _PeakOfCuda()


# --- the network


def product(case: Case) -> Row:
    """The matrix products that the floor is made of."""
    products = fastest_products(case.precision, case.device)
    _, rates = in_turns(lambda: None, products, case.repeats, case.device)
    shapes = {kind: " x ".join(map(str, one.shape)) for kind, one in products.items()}
    return {"gflops": rates, "shapes": shapes, "repeats": case.repeats}


def forward(case: Case) -> Row:
    """A batch through the network as a detector runs it: packed or as a graph, long ones in pieces, and decoded."""
    detector = _detector(case)
    width = detector.config.model.input_width
    grid = TimeGrid(fps=FPS, stride=4, num_frames=16)
    if case.device == "cuda":  # the way to the device is not the network's
        return _forward_on_card(case, detector)
    arrays = [np.random.default_rng(0).standard_normal((case.length, width), np.float32) for _ in range(case.batch)]
    if (length := detector.config.data.resize) is not None:
        arrays = [array[:length] for array in arrays]
    sequences = [FeatureSequence(ArrayRows(array), grid, 1.0) for array in arrays]
    batches = detector.runner.batches(sequences, case.batch)

    def run() -> None:
        for rows in batches:
            detector.runner.run([sequences[row] for row in rows])

    return timed(case, run, _gmac(case, detector.config))


def _forward_on_card(case: Case, detector: Detector) -> Row:
    features = torch.randn(case.batch, case.length, detector.config.model.input_width, device=case.device)
    valid = torch.ones(features.shape[:2], dtype=torch.bool, device=case.device)
    network = Graphs(detector.model) if case.batch == 1 and case.length <= LARGEST_GRAPH else detector.model
    with torch.inference_mode():
        return timed(case, lambda: network(features, valid), _gmac(case, detector.config))


def plain(case: Case) -> Row:
    """The network as it is read, all of a batch in one pass."""
    _check_memory(case)
    detector = _detector(case)
    features = torch.randn(case.batch, case.length, detector.config.model.input_width, device=case.device)
    with torch.inference_mode():
        return timed(case, lambda: detector.model(features), _gmac(case, detector.config))


def detect(case: Case) -> Row:
    """All of `Detector.detect`, from a feature file to detections in seconds."""
    detector = _detector(case)
    with tempfile.TemporaryDirectory() as folder:
        path = _feature_file(Path(folder) / "video.npy", case.length, detector.config.model.input_width)
        return timed(case, lambda: detector.detect(path), _gmac(case, detector.config))


def memory(case: Case) -> Row:
    """Peak memory of `Detector.detect` on a long file of float16 features, in one call."""
    detector = _detector(case)
    with tempfile.TemporaryDirectory() as folder:
        path = _feature_file(Path(folder) / "video.npy", case.length, detector.config.model.input_width, np.float16)
        with AnonymousPeak() as peak:
            taken = seconds(lambda: detector.detect(path), case.device)
    return {"ms": 1000 * taken, "repeats": 1, "peak_mib": peak.mib}


def train(case: Case) -> Row:
    """One step of training: forward, backward, optimiser, weight average. The floor is three times that of forward."""
    config = _config(case).replace(training={"precision": case.precision})
    trainer = Trainer(architecture_of(config).network(), config, steps_per_epoch=100, device=case.device)
    batch = made_batch(case.batch, case.length, config.model.input_width, config.model.num_classes or 1)
    return timed(case, lambda: trainer.step([batch]), 3 * _gmac(case, config))


def _config(case: Case) -> Config:
    return actionformer.build(case.of).config.replace(model={"mask_padding": case.padding})


def _detector(case: Case) -> Detector:
    return actionformer.build(_config(case), device=case.device, precision=case.precision)


def _gmac(case: Case, config: Config) -> float:
    """Multiplications of all sequences, in 10^9; of features that are resized, after that."""
    length = case.length if config.data.resize is None else config.data.resize
    return case.batch * multiplications(config, length) / 1e9


def _check_memory(case: Case) -> None:
    needed = MIB_PER_MOMENT * case.length * case.batch
    if case.device == "cpu" and needed > available_mib():
        raise NotMeasuredError(f"needs about {needed / 1024:.0f} GiB, {available_mib() / 1024:.0f} are free")


def _feature_file(path: Path, length: int, width: int, dtype: type[np.floating[Any]] = np.float32) -> Path:
    """Random features with a sidecar, written in pieces so that they leave no trace in this process' memory."""
    array = np.lib.format.open_memmap(path, "w+", dtype, (length, width))
    rng = np.random.default_rng(0)
    for start in range(0, length, 4096):
        part = array[start : start + 4096]
        part[:] = rng.standard_normal(part.shape, dtype=np.float32)
    write_sidecar(path, FeatureSpec(fps=FPS, stride=4, num_frames=16))
    return path


# --- what follows it


def decode_part(case: Case) -> Row:
    """Decoding: most classes of most moments are candidates, of which every level keeps its 2,000 best."""
    generator = torch.Generator().manual_seed(0)
    lengths = [-(-case.length // stride) for stride in STRIDES]
    logits = [torch.randn(length, 20, generator=generator) * 1.5 - 6 for length in lengths]
    offsets = [torch.rand(length, 2, generator=generator) * 8 for length in lengths]
    valid = [torch.ones(length, dtype=torch.bool) for length in lengths]
    return timed(case, lambda: decode(logits, offsets, valid, STRIDES, DecodingSettings()))


def suppress_part(case: Case) -> Row:
    """Gaussian suppression of 12,000 candidates, 200 kept."""
    candidates = suppression.draw(20 if case.of == "20 classes" else 1)
    return timed(case, lambda: suppress(*candidates, suppression.SETTINGS))


def evaluate_part(case: Case) -> Row:
    """Mean average precision and recall, of detections in memory."""
    if case.of == "thumos14":
        try:
            folder = shared_folder("data/thumos14") / "data" / "thumos14"
        except SystemExit as missing:
            raise NotMeasuredError(str(missing)) from None
        data = evaluation.thumos14(folder)
        return timed(case, lambda: score(*data, "test"))
    many = evaluation.synthetic()
    return timed(case, lambda: score(*many, tiou="0.5:0.95:0.05"))


# --- the command line

STARTED = """
import atexit, sys
from pathlib import Path
def peak():
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    print(*(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), file=sys.stderr)
atexit.register(peak)
from actionformer.cli import main
main(sys.argv[1:])
"""
"""Prints the peak of all resident memory, MiB; what the system keeps of a child would count its parent's too."""


def start(case: Case) -> Row:
    """The command line in fresh processes, to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = ["--help"]
        if case.length:
            features = _feature_file(folder / "video.npy", case.length, _config(case).model.input_width)
            arguments = ["detect", str(_run_directory(folder / "run", case)), str(features)]
        command = [str(Path(sys.executable).with_name("actionformer")), *arguments]
        row = timed(case, lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
        watched = [sys.executable, "-c", STARTED, *arguments]
        done = subprocess.run(watched, check=True, capture_output=True, text=True)
    told = done.stderr.splitlines()[-1:]  # warnings come before
    return {**row, "peak_mib": float(told[0]) if told and told[0].strip() else None}


def folder_part(case: Case) -> Row:
    """A `Search` in a folder of feature files, between half of `length` and one and a half, the model loaded anew.

    `forward_share` is the part of the time that the network alone takes for as many sequences of these lengths.
    """
    lengths = np.random.default_rng(0).integers(case.length // 2, case.length * 3 // 2, case.batch).tolist()
    config = _config(case)
    with tempfile.TemporaryDirectory() as name:
        run, features = _run_directory(Path(name) / "run", case), Path(name) / "features"
        features.mkdir()
        for number, length in enumerate(lengths):
            _feature_file(features / f"video{number}.npy", length, config.model.input_width)
        gmac = sum(multiplications(config, length) for length in lengths) / 1e9
        row = timed(case, lambda: Search(load(run), [features]).found(), gmac)
    return {**row, "forward_share": 1000 * _network_seconds(_detector(case), lengths) / row["ms"]}


@torch.inference_mode()
def _network_seconds(detector: Detector, lengths: list[int]) -> float:
    """What the network alone takes for sequences of these lengths, one after the other."""
    total, network = 0.0, detector.runner.network
    for length in lengths:
        features = torch.randn(1, length, detector.config.model.input_width)
        total += seconds(lambda: network(features), "cpu")  # noqa: B023
    return total


def _run_directory(path: Path, case: Case) -> Path:
    detector = _detector(case)
    save_model(path, detector.model, detector.config, detector.card)
    return path


PARTS: dict[str, Callable[[Case], Row]] = {
    "product": product,
    "forward": forward,
    "plain": plain,
    "detect": detect,
    "decode": decode_part,
    "suppress": suppress_part,
    "evaluate": evaluate_part,
    "memory": memory,
    "train": train,
    "start": start,
    "folder": folder_part,
}
