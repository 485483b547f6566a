"""How long drawing detections into a video takes, as a share of the video; writes benchmarks/results/overlay.json.

    python benchmarks/overlay.py [VIDEO] [--seconds N]

Time of the processor, all threads together, for a second of video in 1280x720 at 30 pictures a second: a copy with
labels and timeline. Without VIDEO, FFmpeg's moving test picture with a little noise.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from common import write_result
from recordings import write_test_video

from actionformer.core.detections import Detections
from actionformer.video.overlay import write_overlay
from actionformer.video.reader import VideoReader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = options.video or write_test_video(folder / "video.mp4", options.seconds, "1280x720", noise=2)
        with VideoReader(video) as opened:
            seconds, fps = float(opened.declared or 0), opened.fps
        starts = np.arange(0, seconds - 2, 2.0)
        segments = np.stack((starts, starts + 3), axis=1).clip(max=seconds)
        labels = np.arange(len(starts)) % 3
        found = Detections(segments, np.linspace(0.9, 0.5, len(starts)), labels, ("walk", "run", "pour tea"))
        begun, used = time.perf_counter(), time.process_time()
        write_overlay(video, found, folder / "drawn.mp4")
        used, wall = time.process_time() - used, time.perf_counter() - begun
        sizes = {"read": video.stat().st_size, "written": (folder / "drawn.mp4").stat().st_size}
    figures = {
        "video seconds": seconds,
        "fps": fps,
        "processor seconds a second of video": used / seconds,
        "wall seconds a second of video": wall / seconds,
        "bytes": sizes,
    }
    print(figures)
    if options.video is None:
        write_result("overlay", figures)


if __name__ == "__main__":
    main()
