"""Trainings that meet in one directory: `python in_one_directory.py PLAN`, forked so that torch is imported once.

A plan is JSON: what to train on, and a list of steps. `{"out", "together": n}` starts n trainings at the same moment;
`{"out", "overwrite": true, "dies": n}` one that is killed at its n-th removal of a file or folder. `"copy"` puts a copy
of another run there before. Prints for each step `[[exit code, error], ...]`.
"""

import json
import os
import shutil
import signal
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # the optimiser would import it in every process

from actionformer.core.errors import InputError
from actionformer.recipes.train import train
from actionformer.settings.loading import load_config

CONTEXT = get_context("fork")


def dying_before(functions: dict[str, Any], n: int) -> None:
    """Lets the n-th call (from 1) of functions of `os`, all together, end the process before it does anything."""
    calls = 0

    def wrap(function: Any) -> Any:
        def wrapped(*args: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == n:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return wrapped

    for name, function in functions.items():
        setattr(os, name, wrap(function))


def once(plan: dict[str, Any], step: dict[str, Any], barrier: Any, pipe: Any) -> None:
    """One training; its error goes through the pipe."""
    if n := step.get("dies"):
        dying_before({name: getattr(os, name) for name in ("unlink", "rmdir")}, n)
    barrier.wait()
    try:
        train(
            load_config(plan["config"], step.get("settings", {})),
            plan["annotations"],
            plan["features"],
            step["out"],
            resume=step.get("resume", False),
            overwrite=step.get("overwrite", False),
        )
    except InputError as error:
        pipe.send(str(error))
        os._exit(2)


def run(plan: dict[str, Any], step: dict[str, Any]) -> list[tuple[int | None, str]]:
    if "copy" in step:
        shutil.copytree(step["copy"], step["out"])
    count = step.get("together", 1)
    barrier = CONTEXT.Barrier(count)
    pipes = [CONTEXT.Pipe(duplex=False) for _ in range(count)]
    processes = [CONTEXT.Process(target=once, args=(plan, step, barrier, pipe)) for _, pipe in pipes]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    texts = [pipe.recv() if pipe.poll() else "" for pipe, _ in pipes]
    return [(process.exitcode, text) for process, text in zip(processes, texts, strict=True)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    print(json.dumps([run(plan, step) for step in plan["steps"]]))
