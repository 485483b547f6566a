"""Steps of training by one process and by several that share them: `python shared_steps.py PLAN OUT`.

A plan is JSON: how many `steps`, and a list of `cases`: `{"name", "preset", "settings", "processes"}`. Every process is
forked, so that torch is imported once, and leaves OUT/NAME.PROCESSES.PROCESS.pt: the figures of its steps, its weights.
"""

import json
import os
import socket
import sys
from collections.abc import Iterator
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch._dynamo  # the optimiser would import it in every process
import torch.distributed

from actionformer.core import ranks
from actionformer.core.segments import TimeGrid
from actionformer.data.dataset import Batch, EpochLoader, TrainingSet, TrainingVideo
from actionformer.data.windows import training_windows
from actionformer.detectors.base import architecture_of
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.training.loop import Trainer, steps_per_epoch

VIDEOS = 11
"""So that with batches of 8 the last one of an epoch has 3, which four processes cannot share without a stand-in."""


def training_set(config: Config) -> TrainingSet:
    """Videos of unlike lengths, one of them without actions, with proposals for those who judge some."""
    rng, grid = np.random.default_rng(0), TimeGrid(fps=1, stride=1, num_frames=1)
    videos = []
    for number in range(VIDEOS):
        length, actions = int(rng.integers(30, 64)), 0 if number == 4 else 1 + number % 3
        starts = rng.uniform(1, length - 12, actions)
        segments = np.stack((starts, starts + rng.uniform(2, 10, actions)), 1).astype(np.float32)
        around = np.repeat(segments, 4, axis=0) + rng.normal(0, 1, (4 * actions, 2)).astype(np.float32)
        spans = rng.uniform(0, length - 4, (5, 1)).astype(np.float32) + np.array([0, 4], np.float32)
        proposals = np.sort(np.concatenate([around, spans]).clip(0, length), axis=1)
        features, labels = rng.standard_normal((length, 6)).astype(np.float32), rng.integers(0, 2, actions)
        videos.append(TrainingVideo(f"v{number}", features, grid, segments, labels, proposals=proposals))
    windows = training_windows(videos, config.data)
    return TrainingSet(windows, data=config.data, max_length=config.model.max_length, seed=config.training.seed)


def batches(loader: EpochLoader, accumulate: int) -> Iterator[list[Batch]]:
    """Those of one step after another."""
    for epoch in count():
        of_epoch = loader.epoch(epoch)
        while group := list(islice(of_epoch, accumulate)):
            yield group


def once(case: dict[str, Any], steps: int, out: Path, process: int, processes: int, port: int) -> None:
    """The steps of one process."""
    if processes > 1:
        os.environ |= {"RANK": str(process), "LOCAL_RANK": str(process), "WORLD_SIZE": str(processes)}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    config = load_config(case["preset"], case["settings"])
    architecture = architecture_of(config)
    with ranks.joined("cpu") as device:
        loader = EpochLoader(
            training_set(config),
            training=config.training,
            pad_to=architecture.training_length(),
            process=ranks.number(),
            processes=ranks.count(),
        )
        torch.manual_seed(1)
        in_epoch = steps_per_epoch(loader, config.training.accumulate)
        trainer = Trainer(architecture.network(), config, steps_per_epoch=in_epoch, device=device)
        figures = [trainer.step(group) for group in islice(batches(loader, config.training.accumulate), steps)]
    found = {"figures": figures, "weights": trainer.model.state_dict(), "average": trainer.average.model.state_dict()}
    torch.save(found, out / f"{case['name']}.{processes}.{process}.pt")


def main(plan: dict[str, Any], out: Path) -> None:
    """Every case with every number of processes in turn."""
    for case in plan["cases"]:
        for processes in case["processes"]:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            context = get_context("fork")
            started = [
                context.Process(target=once, args=(case, plan["steps"], out, process, processes, port))
                for process in range(processes)
            ]
            for one in started:
                one.start()
            for one in started:
                one.join()
            assert not any(one.exitcode for one in started), (case["name"], processes)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")), Path(sys.argv[2]))
