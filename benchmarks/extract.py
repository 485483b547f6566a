"""What extraction costs and how well its parts run side by side; writes benchmarks/results/extract.json.

    python benchmarks/extract.py [BACKBONE ...] [--only throughput memory costs reduced]

`throughput`: decoding alone, the backbone alone, both together, in clips a second. Where both share the processor,
together they can do 1 / (1 / decoding + 1 / backbone), or more where one of them leaves cores idle; what is reached is
given as a share of that. Run it on a quiet machine. `memory`: the peak of each process for a video of a minute and of
an hour. `costs`: minutes of one core for an hour of recording, of every backbone, part by part. `reduced`: decoding at
a reduced size. Weights do not matter for speed: they are drawn at random. Parts that are not run keep their figures,
and so do other backbones.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from common import machine, read_result, write_result
from drawn_weights import loaded
from extraction_costs import MEASURED, costs, reduced, table
from recordings import write_test_video

from actionformer.backbones import Backbone
from actionformer.extraction.decoding import FrameBatch, decoded
from actionformer.extraction.encode import encode_videos
from actionformer.extraction.events import FeaturesReady
from actionformer.video.clips import ClipCutter, ClipLayout

PARTS = ("throughput", "memory", "costs", "reduced")
REPEATS = 3
SECONDS = {"motion": 60, "squeezenet": 8, "r2plus1d_tsp": 12}
"""Length of the videos, so that a turn takes some seconds."""


def rate(turn: Callable[[], int]) -> float:
    """Clips a second of a turn that returns how many it made, the median of some."""
    rates = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        clips = turn()
        rates.append(clips / (time.perf_counter() - begin))
    return statistics.median(rates)


def throughput(name: str, folder: Path) -> dict[str, Any]:
    """Clips a second of decoding alone, of the backbone alone, and of both together, in the same run."""
    backbone = loaded(name, folder)
    layout = ClipLayout(backbone.fps, backbone.num_frames, backbone.stride)
    videos = [write_test_video(folder / f"{name}{i}.mp4", SECONDS[name]) for i in range(2)]

    def decoding() -> int:
        cutters = {video: ClipCutter(layout) for video in videos}
        clips = 0
        for item in decoded(videos, backbone.medium, backbone.preprocessing, layout, 1):
            if isinstance(item, FrameBatch):
                clips += sum(1 for _ in cutters[item.video].add(item.frames.numpy()))
        return clips

    clips = torch.randint(
        0, 256, (8, backbone.num_frames, *next(_frames(videos[0], backbone)).shape), dtype=torch.uint8
    )

    def encoding() -> int:
        for _ in range(turns):
            backbone.encode(clips)
        return turns * len(clips)

    def together() -> int:
        return sum(
            len(event.rows)
            for event in encode_videos(videos, backbone, layout, workers=1)
            if isinstance(event, FeaturesReady)
        )

    turns = max(1, together() // len(clips))  # as many clips as the videos have; and everything is warm
    decode, encode, both = rate(decoding), rate(encoding), rate(together)
    possible = 1 / (1 / decode + 1 / encode)
    return {
        "backbone": name,
        "decode_clips_per_second": decode,
        "encode_clips_per_second": encode,
        "together_clips_per_second": both,
        "share_of_possible": both / possible,
    }


def _frames(video: Path, backbone: Backbone) -> Any:
    from actionformer.video.reader import VideoReader
    from actionformer.video.sampling import images

    with VideoReader(video) as opened:
        yield from backbone.preprocessing(images(opened.frames()))


# VmHWM: ru_maxrss of a process counts what its parent had.
PEAK = """
import json, re, resource, sys
from pathlib import Path
from actionformer import extract
extract(sys.argv[1], "motion", sys.argv[2], workers=1)
own = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([own / 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))
"""


def memory(folder: Path, minutes: int) -> dict[str, float]:
    """Peak resident memory, MiB, of the process that encodes and of the one that decodes."""
    video = write_test_video(folder / f"{minutes}min.mp4", 60 * minutes, size="160x120", rate=15)
    command = [sys.executable, "-c", PEAK, str(video), str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    main, decoding = json.loads(done.stdout)
    return {"minutes": minutes, "main_mib": main, "decoding_mib": decoding}


def keep(part: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Writes the rows of a part beside what the results hold; gives all of the part, in the order of `MEASURED`."""
    found = read_result("extract").get("parts", {})
    new = {row.get("backbone") for row in rows}
    if None not in new:
        rows = rows + [row for row in found.get(part, {}).get("rows", []) if row["backbone"] not in new]
        rows.sort(key=lambda row: MEASURED.index(row["backbone"]))
    found[part] = {"date": datetime.date.today().isoformat(), "machine": machine(), "rows": rows}
    write_result("extract", {"parts": found})
    return rows


def measured(part: str, names: list[str], folder: Path) -> None:
    """Measures a part and keeps each row as soon as it is there."""
    match part:
        case "throughput":
            keep(part, [throughput(name, folder) for name in names or SECONDS])
        case "memory":
            keep(part, [memory(folder, minutes) for minutes in (1, 60)])
        case "reduced":
            keep(part, reduced(folder))
        case "costs":
            for name in names or MEASURED:
                if rows := list(costs([name], folder)):
                    print(table(keep(part, rows)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbones", nargs="*", help="by default all of a part")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for part in sorted(options.only, key=PARTS.index):  # the last two take the threads from this process
            measured(part, options.backbones, Path(folder))


if __name__ == "__main__":
    main()
