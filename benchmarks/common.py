"""What every benchmark needs: where the data is, what machine this is, timing, and the file of results."""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from actionformer.detectors.index import ARCHITECTURES, imported

Name = TypeVar("Name")
RESULTS = Path(__file__).resolve().parent / "results"


def shared_folder(*needed: str) -> Path:
    """The folder of reference data beside the checkout; exits with a message where it or a part is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    for part in needed or ("",):
        if not (folder / part).exists():
            sys.exit(f"this benchmark needs ../shared/{part} beside the checkout, which is not here")
    return folder


def first_stages() -> list[str]:
    """The detectors that need no proposals of another."""
    return [name for name, path in ARCHITECTURES.items() if not imported(path).second_stage]


def machine() -> dict[str, Any]:
    """Processor, cores and versions; nothing that identifies the machine."""
    description: dict[str, Any] = {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    if torch.cuda.is_available():
        description["gpu"] = torch.cuda.get_device_name()
    return description


def _cpu_model() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def median_seconds(function: Callable[[], object], repeats: int = 7) -> float:
    """Median wall time of `function()` in seconds, after one call that does not count."""
    function()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def seconds_in_turns(calls: Mapping[Name, Callable[[], object]], repeats: int) -> dict[Name, list[float]]:
    """Wall times of each of several calls, which take turns, after one of each that does not count."""
    taken: dict[Name, list[float]] = {name: [] for name in calls}
    for _ in range(repeats + 1):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - begun)
    return {name: times[1:] for name, times in taken.items()}


def fastest_seconds(calls: Mapping[Name, Callable[[], object]], repeats: int) -> dict[Name, float]:
    """Wall time of each of several calls, which take turns: the least of some, after one that does not count."""
    return {name: min(times) for name, times in seconds_in_turns(calls, repeats).items()}


def available_mib() -> float:
    """Memory that a process can still have, MiB; without bound where the system does not say."""
    information = Path("/proc/meminfo")
    if not information.exists():
        return float("inf")
    line = next(line for line in information.read_text().splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1]) / 1024


def read_result(name: str) -> dict[str, Any]:
    """What `NAME.json` of the results holds; nothing where it is not there yet."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def write_result(name: str, figures: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write `NAME.json` into the folder of results: the date, the machine, the figures; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    content = {"date": datetime.date.today().isoformat(), "machine": machine(), **figures}
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    return path
