"""The pictures of docs/how-it-works.md: one recording on its way through a trained model, by the code that detects.

    python benchmarks/walkthrough.py runs/hapt data/hapt exp06_user03 docs/how-it-works

The folder `data/hapt` is what `actionformer dataset hapt` wrote, and the run was trained on it with the preset `hapt`.
Figures that the page quotes are written to benchmarks/results/walkthrough.json.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from common import write_result
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image

import actionformer
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.detections import Detections
from actionformer.detectors.pyramid import PyramidCriterion
from actionformer.features import FeatureSpec
from actionformer.inference.detector import Detector
from actionformer.inference.explain import Explanation, attention_of, explain, nearest_position, project
from actionformer.inference.sequences import FeatureSequence, place
from actionformer.inference.suppression import Step, trace
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.attention_maps import attention_at, comparisons
from actionformer.nn.outputs import PyramidOutputs
from actionformer.nn.points import level_lengths

Floats = NDArray[np.float64]
WIDTH, DPI = 10.0, 100  # inches, and dots of each
TRUTH, FAINT, COLOUR = "#444444", "#D0D0D0", "#0072B2"
VISIBLE = 0.02  # score from which on a candidate is drawn in the picture of suppression
LIKELY = 0.3  # probability from which on a moment's proposal is drawn
ATTENDED = 120.0  # seconds of the attention picture
STEPS = 3  # picks of suppression that are shown


@dataclass(frozen=True)
class Walk:
    """A recording, and what the model says of it at every stage."""

    detector: Detector
    video: AnnotatedVideo
    sequence: FeatureSequence
    outputs: PyramidOutputs
    said: Explanation
    found: Detections

    @property
    def strides(self) -> list[int]:
        return [level.stride for level in self.detector.runner.levels]

    @property
    def colours(self) -> dict[int, str]:
        """A colour for each class that happens in the recording."""
        palette = plt.get_cmap("tab20")
        return {label: to_hex(palette(i)) for i, label in enumerate(sorted(set(self.video.labels.tolist())))}

    def seconds(self, steps: NDArray[Any]) -> Floats:
        """Grid positions as times."""
        return self.sequence.grid.to_seconds(steps)


def walk(run: Path, data: Path, name: str) -> Walk:
    """Takes a recording through the model once."""
    detector = actionformer.load(run)
    video = actionformer.read_annotations(data / "annotations.json").videos[name]
    file = data / "features" / f"{name}.npy"
    sequence = place(file, {}, None, detector.config, FeatureSpec())
    features, _ = sequence.part(0, len(sequence))
    with torch.inference_mode():
        outputs = detector.model(features[None])
    return Walk(detector, video, sequence, outputs, explain(detector.runner, sequence), detector.detect(file))


def figure(height: float, heights: list[float]) -> tuple[Figure, list[Axes]]:
    """Pictures of these heights, one above the other, over one time."""
    rows = len(heights)
    drawn = plt.figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    axes = drawn.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=heights)
    return drawn, list(axes[:, 0])


def draw_truth(axes: Axes, walk: Walk) -> None:
    """What happens: a bar per action."""
    for (start, end), label in zip(walk.video.segments, walk.video.labels.tolist(), strict=True):
        axes.barh(0, end - start, left=start, height=0.8, color=walk.colours[label], lw=0)
    axes.set_yticks([0], ["truth"])
    axes.set_xlim(0, walk.sequence.duration)


def draw_legend(drawn: Figure, walk: Walk) -> None:
    names = walk.detector.class_names
    handles = [Patch(color=colour) for colour in walk.colours.values()]
    labels = [names[label].lower().replace("_", " ") for label in walk.colours]
    drawn.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=7, frameon=False)


def draw_recording(walk: Walk) -> Figure:
    """Acceleration as it was measured, its features, and what happens."""
    rows = np.asarray(walk.sequence.features[0 : len(walk.sequence)])
    step = int(walk.sequence.grid.stride)
    samples = rows.reshape(len(rows), 6, -1)[:, :3, :step].transpose(0, 2, 1).reshape(-1, 3)
    drawn, (truth, raw, features) = figure(4.2, [0.5, 1.6, 1.6])
    draw_truth(truth, walk)
    times = np.arange(len(samples)) / walk.sequence.grid.fps
    for axis, colour in enumerate(("#0072B2", "#E69F00", "#009E73")):
        raw.plot(times, samples[:, axis], lw=0.4, color=colour)
    raw.set_ylabel("acceleration, g", fontsize=8)
    draw_rows(features, walk, walk.detector.model.normalizer(torch.from_numpy(rows)[None], None)[0].T.numpy())
    features.set_ylabel(f"{rows.shape[1]} channels", fontsize=8)
    features.set_xlabel("seconds")
    draw_legend(drawn, walk)
    return drawn


def draw_rows(axes: Axes, walk: Walk, rows: NDArray[np.floating], stride: int = 1) -> None:
    """Channels over time (C, T_l): each moment as wide as its stride; channels of no spread stay grey."""
    ends = walk.seconds(np.array([-0.5, rows.shape[1] - 0.5]) * stride)
    spread = float(np.quantile(np.abs(rows), 0.98))
    axes.imshow(
        rows, aspect="auto", extent=(*ends, 0, 1), cmap="PuOr", vmin=-spread, vmax=spread, interpolation="nearest"
    )
    axes.set_yticks([])


def draw_pyramid(walk: Walk) -> Figure:
    """Every level of the pyramid: its channels, sorted by what they are worth most in, over the same time."""
    levels = [level[0].T.numpy() for level in walk.outputs.pyramid]
    drawn, axes = figure(5.4, [1] * len(levels))
    order = np.argsort(levels[0].argmax(axis=1))
    for axis, level, stride in zip(axes, levels, walk.strides, strict=True):
        draw_rows(axis, walk, level[order] - level.mean(axis=1)[order, None], stride)
        axis.set_ylabel(f"stride {stride}\n{level.shape[1]} moments", fontsize=8, rotation=0, ha="right", va="center")
    axes[-1].set_xlabel("seconds")
    axes[-1].set_xlim(0, walk.sequence.duration)
    return drawn


def targets_of(walk: Walk) -> list[NDArray[np.float32]]:
    """Of every level (T_l, K), the classes that each moment would learn of this recording."""
    segments = torch.from_numpy(walk.sequence.grid.to_grid(walk.video.segments)).float()
    truth = GroundTruth([segments], [torch.from_numpy(walk.video.labels)], [len(walk.sequence)], len(walk.sequence))
    classes = PyramidCriterion(walk.detector.config).targets(truth).classes[0]
    return [part.numpy() for part in torch.split(classes, level_lengths(len(walk.sequence), walk.strides))]


def draw_ranges(walk: Walk) -> Figure:
    """Which moments of which level answer for which action."""
    drawn, (truth, axes) = figure(3.6, [0.5, 3])
    draw_truth(truth, walk)
    step = walk.sequence.grid.stride / walk.sequence.grid.fps
    names = []
    for row, (level, classes) in enumerate(zip(walk.detector.runner.levels, targets_of(walk), strict=True)):
        times = walk.seconds(np.arange(len(classes)) * float(level.stride))
        axes.plot(times, np.full(len(times), row), "|", color=FAINT, ms=5, mew=0.6)
        for moment, label in np.argwhere(classes > 0).tolist():
            axes.plot(times[moment], row, "o", color=walk.colours[label], ms=5)
        least, largest = (one * step for one in level.action_range)
        end = f"{largest:g}" if largest < walk.sequence.duration else "any"
        names.append(f"stride {level.stride}: {least:g} to {end} s")
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("seconds")
    draw_legend(drawn, walk)
    return drawn


def draw_attention(walk: Walk) -> Figure:
    """Of the first block, what every moment attends to: within the window, and if it were the whole recording."""
    seen = project(walk.detector.runner, walk.sequence, (0, len(walk.sequence)), 0)
    count = nearest_position(walk.sequence.grid, ATTENDED, 1, len(walk.sequence))
    drawn, axes = plt.subplots(1, 2, figsize=(WIDTH, 4.6), dpi=DPI, sharey=True, layout="constrained")
    for axis, everywhere, pairs in zip(axes, (False, True), comparisons(seen), strict=True):
        weights = np.full((count, count), np.nan)
        for moment in range(count):
            looked = attention_at(seen, moment, everywhere=everywhere)
            inside = looked.positions < count
            weights[moment, looked.positions[inside]] = looked.weights.mean(axis=0)[inside]
        ends = (0, ATTENDED, ATTENDED, 0)
        axis.imshow(weights, extent=ends, cmap="magma", norm=LogNorm(1e-4, 0.5), interpolation="nearest")
        axis.set_facecolor("#F4F4F4")
        what = "whole recording" if everywhere else f"window of {seen.window}"
        axis.set_title(f"{what}: {pairs:,} comparisons per head", fontsize=9, loc="left")
        axis.set_xlabel("is attended to, seconds")
    axes[0].set_ylabel("moment, seconds")
    return drawn


def draw_heads(walk: Walk) -> Figure:
    """By level the probability of the classes that happen, and the segments that likely moments propose."""
    drawn, (truth, scores, offsets) = figure(5.4, [0.4, 2, 2])
    draw_truth(truth, walk)
    step = walk.sequence.grid.stride / walk.sequence.grid.fps
    for row, level in enumerate(walk.said.levels):
        times, width = walk.seconds(np.arange(len(level.probability)) * float(level.stride)), level.stride * step
        for moment, label in enumerate(level.probability.argmax(axis=1).tolist()):
            probability, colour = float(level.probability[moment, label]), walk.colours.get(label, FAINT)
            left = times[moment] - width / 2
            scores.barh(row, width, left=left, height=0.9, color=colour, alpha=probability, lw=0)
            if probability >= LIKELY:
                before, after = level.offsets[moment] * width
                height = row + moment % 5 / 6 - 0.33  # neighbours beside one another
                offsets.plot([times[moment] - before, times[moment] + after], [height] * 2, color=colour, lw=1)
                offsets.plot(times[moment], height, ".", color=TRUTH, ms=2)
    name_levels(scores, walk, "most probable class of every moment, opacity is its probability")
    name_levels(offsets, walk, f"what moments with a probability of {LIKELY} or more propose; the dot is the moment")
    offsets.set_xlabel("seconds")
    draw_legend(drawn, walk)
    return drawn


def name_levels(axes: Axes, walk: Walk, title: str) -> None:
    axes.set_yticks(range(len(walk.strides)), [f"stride {stride}" for stride in walk.strides], fontsize=8)
    axes.set_ylim(len(walk.strides) - 0.5, -0.5)
    axes.set_title(title, fontsize=9, loc="left")


def shown_action(walk: Walk) -> int:
    """The action whose likely candidates have the highest scores together."""
    scores, labels = walk.said.candidates.scores.numpy(), walk.said.candidates.labels.numpy()
    segments = walk.seconds(walk.said.candidates.segments.numpy())

    def together(action: int) -> float:
        start, end = walk.video.segments[action]
        own = (labels == walk.video.labels[action]) & (segments[:, 0] < end) & (segments[:, 1] > start)
        return float(scores[own & (scores >= LIKELY)].sum())

    return max(range(len(walk.video.labels)), key=together)


def draw_suppression(walk: Walk) -> tuple[Figure, dict[str, object]]:
    """Candidates of one class that overlap one action, and what the first picks do to their scores."""
    action = shown_action(walk)
    (start, end), label = walk.video.segments[action], int(walk.video.labels[action])
    candidates = walk.said.candidates
    segments = walk.seconds(candidates.segments.numpy())
    near = (candidates.labels.numpy() == label) & (segments[:, 1] > start) & (segments[:, 0] < end)
    initial = candidates.scores.numpy()[near]
    steps = trace(
        candidates.segments.numpy()[near], initial, candidates.labels.numpy()[near], walk.detector.config.suppression
    )
    drawn, axes = figure(6.4, [1] * (1 + STEPS))
    scores, drawn_segments = initial.copy(), segments[near]
    for row, axis in enumerate(axes):
        if row:
            scores[steps[row - 1].index] = steps[row - 1].scores
        draw_candidates(axis, drawn_segments, scores, {step.pick: step for step in steps[:row]})
        axis.barh(-0.06, end - start, left=start, height=0.05, color=TRUTH, lw=0)
        axis.set_title(
            f"after pick {row}" if row else f"{len(scores)} candidates; grey below: the action", fontsize=9, loc="left"
        )
        axis.set_ylabel("score", fontsize=8)
    axes[-1].set_xlim(start - (end - start) / 2, end + (end - start) / 2)
    axes[-1].set_xlabel("seconds")
    return drawn, {
        "action": {"segment": [start, end], "label": walk.detector.class_names[label]},
        "candidates": len(scores),
        "picks": [
            {
                "segment": drawn_segments[step.pick].round(2).tolist(),
                "score": round(step.score, 4),
                "score_before": round(float(initial[step.pick]), 4),
                "lowers": len(step.index),
            }
            for step in steps[:STEPS]
        ],
    }


def draw_candidates(axes: Axes, segments: Floats, scores: NDArray[np.float32], picked: dict[int, Step]) -> None:
    """A line per candidate, at the height of its score; those that were picked are thick."""
    for index, ((start, end), score) in enumerate(zip(segments, scores, strict=True)):
        if index not in picked and score >= VISIBLE:
            axes.plot([start, end], [score, score], color=COLOUR, lw=1)
    for number, (index, step) in enumerate(picked.items(), start=1):
        axes.plot(segments[index], [step.score] * 2, color="black", lw=2.5)
        axes.annotate(
            str(number), (segments[index, 1], step.score), textcoords="offset points", xytext=(4, -3), fontsize=9
        )
    axes.set_ylim(-0.1, 1)


def draw_result(walk: Walk) -> Figure:
    """What is detected above what happens, a lane per class."""
    drawn, (axes,) = figure(3.4, [1])
    lanes = list(walk.colours)
    for row, label in enumerate(lanes):
        own = walk.found.labels == label
        for (start, end), score in zip(walk.found.segments[own], walk.found.scores[own], strict=True):
            axes.barh(
                row - 0.2, end - start, left=start, height=0.36, color=walk.colours[label], alpha=float(score), lw=0
            )
        for start, end in walk.video.segments[walk.video.labels == label]:
            axes.barh(row + 0.24, end - start, left=start, height=0.24, color=TRUTH, lw=0)
    axes.set_yticks(
        range(len(lanes)), [walk.detector.class_names[label].lower().replace("_", " ") for label in lanes], fontsize=8
    )
    axes.invert_yaxis()
    axes.set_xlim(0, walk.sequence.duration)
    axes.set_xlabel("seconds")
    return drawn


def figures(walk: Walk) -> dict[str, object]:
    """What the page quotes."""
    seen = project(walk.detector.runner, walk.sequence, (0, len(walk.sequence)), 0)
    window, everywhere = comparisons(seen)
    return {
        "recording": walk.video.id,
        "seconds": walk.sequence.duration,
        "features": list(walk.sequence.features.shape),
        "actions": len(walk.video.labels),
        "moments": [len(level.probability) for level in walk.said.levels],
        "actions_by_level": [int((classes.any(axis=1)).sum()) for classes in targets_of(walk)],
        "comparisons": {"window": window, "global": everywhere},
        "blocks": attention_of(walk.detector.runner).names(),
        "candidates": len(walk.said.candidates.scores),
        "detections": len(walk.found.scores),
        "detections_from_0.3": int((walk.found.scores >= LIKELY).sum()),
        "parameters": sum(one.numel() for one in walk.detector.model.parameters()),
    }


def save(drawn: Figure, file: Path) -> None:
    """Writes a picture in 256 colours, a third of the size."""
    drawn.canvas.draw()
    pixels = np.asarray(drawn.canvas.buffer_rgba())  # type: ignore[attr-defined]
    Image.fromarray(pixels).convert("RGB").quantize(256).save(file, optimize=True)


def main(run: Path, data: Path, name: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    one = walk(run, data, name)
    suppression, steps = draw_suppression(one)
    for title, drawn in {
        "recording": draw_recording(one),
        "pyramid": draw_pyramid(one),
        "ranges": draw_ranges(one),
        "attention": draw_attention(one),
        "heads": draw_heads(one),
        "suppression": suppression,
        "result": draw_result(one),
    }.items():
        save(drawn, out / f"{title}.png")
    write_result("walkthrough", figures(one) | {"suppression": steps})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
