"""Time of `doctor` on 5,000 videos; writes benchmarks/results/doctor.json.

    python benchmarks/doctor.py [--videos 5000]

Made data of ActivityNet's size: features (100 to 500, 512) float32, 200 classes, one to four actions a video. The files
are in the system's cache: they were written just before. Processor time counts on a busy machine; beside it stands what
the least takes that anything could do, reading all bytes of the files once.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from common import write_result

from actionformer import doctor
from actionformer.core.memory import AnonymousPeak

WIDTH, CLASSES = 512, 200
FPS, STRIDE, NUM_FRAMES = 15.0, 8.0, 16.0
LONGEST = 500


def make(folder: Path, videos: int) -> Path:
    """Writes features with sidecars; returns the annotations."""
    rng = np.random.default_rng(0)
    pool = rng.standard_normal((LONGEST + videos, WIDTH), dtype=np.float32)
    (folder / "features").mkdir()
    database = {}
    for number in range(videos):
        length = int(rng.integers(100, LONGEST + 1))
        path = folder / "features" / f"video_{number:05d}.npy"
        np.save(path, pool[number : number + length] + rng.normal(0, 0.3, WIDTH).astype(np.float32))
        path.with_suffix(".json").write_text(
            json.dumps({"fps": FPS, "stride": STRIDE, "num_frames": NUM_FRAMES}), "utf-8"
        )
        duration = ((length - 1) * STRIDE + NUM_FRAMES) / FPS
        database[path.stem] = {
            "subset": "training" if number % 3 else "validation",
            "duration": duration,
            "annotations": draw(rng, duration),
        }
    annotations = folder / "annotations.json"
    annotations.write_text(json.dumps({"database": database}), "utf-8")
    return annotations


def draw(rng: np.random.Generator, duration: float) -> list[dict[str, object]]:
    """Some actions of one class, one after the other."""
    times = np.sort(rng.uniform(0, duration, 2 * int(rng.integers(1, 5)))).reshape(-1, 2)
    label = f"action {rng.integers(CLASSES)}"
    return [{"segment": segment, "label": label} for segment in times.round(3).tolist() if segment[1] - segment[0] > 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=5000, help="with fewer nothing is written")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        annotations = make(folder, options.videos)
        size = sum(path.stat().st_size for path in (folder / "features").iterdir())
        before = os.getloadavg()[0]
        began, busy = time.perf_counter(), time.process_time()
        with AnonymousPeak() as peak:
            report = doctor(annotations, features=folder / "features")
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        floor = time.process_time()
        for path in (folder / "features").iterdir():
            path.read_bytes()
        taken = {
            "videos": options.videos,
            "gib": round(size / 2**30, 2),
            "rows_read": report.facts.get("rows read", "100%"),
            "seconds": round(seconds, 1),
            "processor_seconds": round(busy, 1),
            "reading_once_processor_seconds": round(time.process_time() - floor, 1),
            "load": [round(one, 1) for one in (before, os.getloadavg()[0])],
            "peak_mib": peak.mib and round(peak.mib),
            "findings": [str(finding) for finding in report.findings],
        }
    print(json.dumps(taken, indent=1))
    if options.videos == parser.get_default("videos"):
        write_result("doctor", taken)


if __name__ == "__main__":
    main()
