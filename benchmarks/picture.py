"""The pictures of the README: what the demo's model sees in the video that it was not trained on.

make demo && python benchmarks/picture.py runs/demo docs
"""

from __future__ import annotations

import sys
import tempfile
from itertools import combinations
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from PIL import Image

import actionformer
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.detections import Detections
from actionformer.formats.detections import read_results
from actionformer.inference.caps import SHOWN_SCORE
from actionformer.recipes.demo import BACKBONE, NUM_FRAMES, STRIDE
from actionformer.video import reader

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")  # safe for colour-blind readers


def draw_timeline(axes: Axes, video: AnnotatedVideo, found: Detections) -> None:
    """A lane a class: detections above, opacity their score; ground truth beneath."""
    for label, name in enumerate(found.class_names):
        colour = COLOURS[label % len(COLOURS)]
        for (start, end), score in zip(found.of(name).segments, found.of(name).scores, strict=True):
            axes.barh(label - 0.2, end - start, left=start, height=0.36, color=colour, alpha=float(score), lw=0)
        for start, end in video.segments[video.labels == label]:
            axes.barh(label + 0.24, end - start, left=start, height=0.24, color="#444444", lw=0)
    axes.set_yticks(range(len(found.class_names)), found.class_names)
    axes.invert_yaxis()
    axes.set_title("detections (colour, opacity = score) above the ground truth (grey)", loc="left", fontsize=9)


def draw_pyramid(axes: Axes, logits: list[torch.Tensor], strides: tuple[int, ...], duration: float) -> None:
    """The best class probability of every moment, a row a level."""
    length = logits[0].shape[1]
    rows = [
        np.repeat(level[0].sigmoid().amax(-1).numpy(), stride)[:length]
        for level, stride in zip(logits, strides, strict=True)
    ]
    axes.imshow(
        np.array(rows), aspect="auto", extent=(0, duration, len(rows) - 0.5, -0.5), cmap="magma", vmin=0, vmax=1
    )
    axes.set_yticks(range(len(rows)), [f"stride {stride}" for stride in strides])
    axes.set_title("best class probability of every moment, by pyramid level", loc="left", fontsize=9)
    axes.set_xlabel("seconds")


def draw_detections(demo: Path, target: Path) -> None:
    """Above, what was found and what happened; below, what every moment of the pyramid holds for likely."""
    detector = actionformer.load(demo / "run")
    video = actionformer.read_annotations(demo / "data" / "annotations.json").videos["unseen"]
    found = read_results(demo / "unseen.json", detector.class_names)["unseen"].above(0.1)
    with torch.inference_mode():
        outputs = detector.model(features_of(demo / "data" / "videos" / "unseen.mp4")[None])
    assert video.duration is not None
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(11, 5.2), sharex=True, height_ratios=(3, 2), layout="constrained"
    )
    draw_timeline(above, video, found)
    draw_pyramid(below, outputs.logits, tuple(level.stride for level in detector.runner.levels), video.duration)
    figure.savefig(target, dpi=110)


def features_of(video: Path) -> torch.Tensor:
    """(T, D), extracted as for training."""
    with tempfile.TemporaryDirectory() as folder:
        actionformer.extract(video, BACKBONE, folder, stride=STRIDE, num_frames=NUM_FRAMES)
        return torch.from_numpy(np.load(Path(folder) / f"{video.stem}.npy"))


def draw_still(demo: Path, target: Path) -> None:
    """The overlay at a moment when two actions go on."""
    found = read_results(demo / "unseen.json")["unseen"].above(SHOWN_SCORE)
    with reader.VideoReader(demo / "unseen_overlay.mp4") as video:
        (frame,) = video.frames(moment := busy_moment(found), moment + 1e-3)
        picture = Image.fromarray(frame.image())
    picture.save(target, quality=88)


def busy_moment(found: Detections) -> float:
    """The middle of what the two detections that overlap most share, seconds."""
    pairs = list(combinations(found.segments.tolist(), 2))
    starts, ends = (np.array([choose(one[i], other[i]) for one, other in pairs]) for i, choose in ((0, max), (1, min)))
    most = (ends - starts).argmax()
    return float(starts[most] + ends[most]) / 2


if __name__ == "__main__":
    folder, pictures = Path(sys.argv[1]), Path(sys.argv[2])
    draw_detections(folder, pictures / "demo.png")
    draw_still(folder, pictures / "overlay.jpg")
