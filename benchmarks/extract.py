"""Throughput of extraction: decoding alone, the backbone alone, both together; writes benchmarks/results/extract.json.

    python benchmarks/extract.py [motion] [squeezenet] [r2plus1d_tsp] [--no-memory]

Where both share the processor, together they can do 1 / (1 / decoding + 1 / backbone) clips a second, or more where
one of them leaves cores idle; what is reached is given as a share of that. Memory is the peak of each process for a
video of a minute and of an hour. Weights do not matter for speed: they are drawn at random. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import torch
from common import write_result

from actionformer.backbones import Backbone, load_backbone
from actionformer.backbones.r2plus1d import R2Plus1D34
from actionformer.backbones.squeezenet import Network
from actionformer.extraction.decoding import FrameBatch, decoded
from actionformer.extraction.encode import encode_videos
from actionformer.extraction.events import FeaturesReady
from actionformer.video.clips import ClipCutter, ClipLayout

REPEATS = 3
SECONDS = {"motion": 60, "squeezenet": 8, "r2plus1d_tsp": 12}
"""Length of the videos, so that a turn takes some seconds."""


def write_test_video(path: Path, seconds: int, size: str = "320x240", rate: int = 30, noise: int = 12) -> Path:
    """FFmpeg's moving test picture with noise, in H.264."""
    source = f"testsrc2=size={size}:rate={rate}:duration={seconds},noise=alls={noise}:allf=t"
    with av.open(source, format="lavfi") as pictures, av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height = map(int, size.split("x"))
        stream.pix_fmt = "yuv420p"
        for picture in pictures.decode(video=0):
            container.mux(stream.encode(picture.reformat(format="yuv420p")))
        container.mux(stream.encode())
    return path


def prepared(name: str, folder: Path) -> Backbone:
    """A backbone, its weights drawn at random where it has some."""
    if name == "motion":
        return load_backbone(name)
    path = folder / f"{name}.pth"
    weights = Network(border=0).state_dict() if name == "squeezenet" else _tsp_weights()
    torch.save(weights, path)
    return load_backbone(name, path)


def _tsp_weights() -> dict[str, torch.Tensor]:
    return {f"features.{name}": tensor for name, tensor in R2Plus1D34().state_dict().items()}


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
    backbone = prepared(name, folder)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbones", nargs="*", default=list(SECONDS))
    parser.add_argument("--no-memory", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [throughput(backbone, folder) for backbone in options.backbones]
        peaks = [] if options.no_memory else [memory(folder, minutes) for minutes in (1, 60)]
    for row in (*rows, *peaks):
        print({key: value if isinstance(value, str) else round(value, 2) for key, value in row.items()})
    write_result("extract", {"video": "testsrc2, 320x240, 30 fps, H.264", "throughput": rows, "memory": peaks})


if __name__ == "__main__":
    main()
