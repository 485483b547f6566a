"""AFSD as published for ActivityNet against its formulas, written out again in other terms than ours.

Sequences of 96 features with 8 frames each, one class, distances in the unit of their level and within bounds, smooth
L1, a second look at the best segments, suppression without regard to class and with voting.
"""

import itertools
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.detectors.afsd.architecture import AFSD
from actionformer.detectors.afsd.network import AFSDNetwork, Outputs
from actionformer.detectors.base import architecture_of
from actionformer.inference.detector import Detector
from actionformer.interop import convert
from actionformer.interop.convert import read_published
from actionformer.interop.published_weights import load_published_weights
from actionformer.nn.assignment import GroundTruth

LENGTH, CHANNELS, WIDTH, LEVELS, PER_FEATURE = 96, 6, 64, 6, 8
FRAMES = LENGTH * PER_FEATURE
BOUNDS = [(0, 30), (15, 60), (30, 120), (60, 240), (96, 768), (256, 768)]
ACTIONS = [[(3.3, 20.1), (14.2, 16.9), (40.7, 93.4)], [(0.4, 58.3), (71.0, 73.8)]]
"""Of two videos, starts and ends in features."""
SETTINGS = f"""
preset = "afsd_activitynet_tsp"
[model]
input_dim = {CHANNELS}
width = {WIDTH}
"""


def drawn_weights() -> dict[str, Tensor]:
    """A checkpoint's weights, in the published shapes."""
    shapes: dict[str, tuple[int, int, int]] = {}
    normed = {"neck.pyramids.0": (WIDTH, CHANNELS, 1)}
    normed |= {f"neck.pyramids.{level}": (WIDTH, WIDTH, 3) for level in range(1, LEVELS)}
    normed |= {f"rpn_head.{kind}_tower.{place}": (WIDTH, WIDTH, 3) for kind in ("loc", "conf") for place in (0, 1)}
    for kind, (part, a, b) in itertools.product(
        ("loc", "conf"), (("cur_point", 1, 1), ("lr", 2, 1), ("roi", 1, 1), ("proposal", 1, 4))
    ):
        normed[f"roi_head.{kind}_proposal_branch.{part}_conv"] = (a * WIDTH, b * WIDTH, 1)
    norms = {f"{name}.1": shape[0] for name, shape in normed.items()}
    shapes |= {f"{name}.0.conv1d": shape for name, shape in normed.items()}
    for place, kernel in ((0, 3), (3, 3), (6, 1)):
        shapes[f"neck.deconv.{place}.conv1d"], norms[f"neck.deconv.{place + 1}"] = (WIDTH, WIDTH, kernel), WIDTH
    for name, count, kernel in (
        ("rpn_head.loc_head", 2, 3),
        ("rpn_head.conf_head", 2, 3),
        ("roi_head.prop_loc_head", 2, 1),
        ("roi_head.prop_conf_head", 2, 1),
        ("roi_head.center_head", 1, 3),
    ):
        shapes[f"{name}.conv1d"] = (count, WIDTH, kernel)
    drawn = torch.Generator().manual_seed(2)
    weights = {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = torch.randn(shape, generator=drawn) / math.sqrt(shape[1] * shape[2])
        weights[f"{name}.bias"] = 0.1 * torch.randn(shape[0], generator=drawn)
    for name, count in norms.items():
        weights[f"{name}.weight"] = 1 + 0.1 * torch.randn(count, generator=drawn)
        weights[f"{name}.bias"] = 0.1 * torch.randn(count, generator=drawn)
    return weights | {f"rpn_head.scales.{level}.scale": torch.tensor([0.9 + 0.05 * level]) for level in range(LEVELS)}


class Found(NamedTuple):
    """What the network says of one sequence, all levels one after the other."""

    distances: Tensor
    logits: Tensor
    shifts: Tensor
    refined_logits: Tensor
    center: Tensor
    frame: Tensor
    """(C, N)"""
    beside: list[Tensor]
    """(2C, T) of level 0, of both branches."""


class Reference:
    """The published network, level by level and moment by moment; tensors are (C, T)."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights

    def conv(self, x: Tensor, name: str, *, stride: int = 1) -> Tensor:
        weight, bias = self.weights[f"{name}.conv1d.weight"], self.weights[f"{name}.conv1d.bias"]
        around = {(1, 1): (0, 0), (3, 1): (1, 1), (3, 2): (0, 1)}[weight.shape[-1], stride]
        return F.conv1d(F.pad(x, around)[None], weight, bias, stride=stride)[0]

    def normed(self, x: Tensor, name: str) -> Tensor:
        return F.group_norm(x[None], 32, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])[0].relu()

    def stage(self, x: Tensor, name: str, *, stride: int = 1) -> Tensor:
        return self.normed(self.conv(x, f"{name}.0", stride=stride), f"{name}.1")

    def outputs(self, features: Tensor) -> Found:
        """Of features (T, D)."""
        levels = [self.stage(features.mT, "neck.pyramids.0")]
        for level in range(1, LEVELS):
            levels.append(self.stage(levels[-1], f"neck.pyramids.{level}", stride=2))
        frame = levels[0].repeat_interleave(PER_FEATURE, dim=1)
        for place in (0, 3, 6):
            frame = self.normed(self.conv(frame, f"neck.deconv.{place}"), f"neck.deconv.{place + 1}")
        rows, beside = [], []
        for level, x in enumerate(levels):
            location, category = (
                self.stage(self.stage(x, f"rpn_head.{kind}_tower.0"), f"rpn_head.{kind}_tower.1")
                for kind in ("loc", "conf")
            )
            scale = self.weights[f"rpn_head.scales.{level}.scale"]
            distances = (scale * self.conv(location, "rpn_head.loc_head")).exp() * 2 ** (level + 2)
            around = pooled(frame, distances.detach(), x.shape[1], on_frames=True)
            refined = []
            for kind, own in (("loc", location), ("conf", category)):
                name = f"roi_head.{kind}_proposal_branch"
                a, b = self.stage(own, f"{name}.cur_point_conv"), self.stage(own, f"{name}.lr_conv")
                parts = self.stage(around, f"{name}.roi_conv"), pooled(b, distances.detach(), x.shape[1]), a
                refined.append(self.stage(torch.cat(parts), f"{name}.proposal_conv"))
                beside.append(b)
            rows.append(
                (
                    distances,
                    self.conv(category, "rpn_head.conf_head"),
                    self.conv(refined[0], "roi_head.prop_loc_head"),
                    self.conv(refined[1], "roi_head.prop_conf_head"),
                    self.conv(refined[0], "roi_head.center_head"),
                )
            )
        distances, logits, shifts, refined_logits, center = (torch.cat(one, dim=1) for one in zip(*rows, strict=True))
        return Found(distances, logits, shifts, refined_logits, center, frame, beside[:2])


def pooled(x: Tensor, distances: Tensor, count: int, *, on_frames: bool = False) -> Tensor:
    """The largest of each channel around the boundaries of coarse segments, starts in the first half of channels."""
    found, last = [], x.shape[1] - 1
    for place in range(count):
        left, right = distances[:, place].tolist()
        prior = (place + 0.5) / count
        if on_frames:
            start, end, length = prior * FRAMES - left, prior * FRAMES + right, left + right + 1
        else:
            left, right = left * count / FRAMES, right * count / FRAMES
            at = round(prior * count - 0.5)
            start, end, length = at - left, at + right, left + right
        inward, outward = max(length / 4, 1), max(length / 10, 1)
        halves = []
        for half, ends in zip(
            x.chunk(2), ((start - outward, start + inward), (end - inward, end + outward)), strict=True
        ):
            a, b = (min(max(round(one), 0), last) for one in ends)
            halves.append(half[:, a : max(a, b) + 1].amax(1))
        found.append(torch.cat(halves))
    return torch.stack(found, dim=1)


def priors() -> list[tuple[float, int]]:
    """Of every moment where it lies, in frames, and its level."""
    counts = [LENGTH // 2**level for level in range(LEVELS)]
    return [((c + 0.5) / count * FRAMES, level) for level, count in enumerate(counts) for c in range(count)]


def responsibilities(actions: list[tuple[float, float]]) -> list[tuple[float, float] | None]:
    """Of every moment the distances to its action."""
    found: list[tuple[float, float] | None] = []
    for at, level in priors():
        own = None
        for start, end in sorted(actions, key=lambda one: one[1] - one[0]):
            left, right = at - start * PER_FEATURE, end * PER_FEATURE - at
            low, high = BOUNDS[level]
            if own is None and min(left, right) >= 0 and low < max(left, right) <= high:
                own = left, right
        found.append(own)
    return found


def boundary_targets(actions: list[tuple[float, float]], side: int) -> list[float]:
    """Of every frame."""
    found = [0.0] * FRAMES
    for one in actions:
        start, end = (PER_FEATURE * edge for edge in one)
        half = max((end - start) / 10, 2) / 2
        first, last = (min(max(round((start, end)[side] + way * half), 0), FRAMES - 1) for way in (-1, 1))
        found[first : last + 1] = [1.0] * (last + 1 - first)
    return found


def iou(one: Tensor, other: Tensor) -> Tensor:
    """Of two pairs of distances from a moment."""
    shared = torch.minimum(one, other).sum()
    return shared / (one.sum() + other.sum() - shared)


def focal(logits: Tensor, positive: bool) -> Tensor:
    p = logits.softmax(0)[int(positive)] + 1e-6
    return -(0.75 if positive else 0.25) * (1 - p) ** 2 * p.log()


def losses(found: Found, actions: list[tuple[float, float]]) -> dict[str, Tensor]:
    """Of one sequence."""
    own = responsibilities(actions)
    positive = {place: torch.tensor(ends) for place, ends in enumerate(own) if ends is not None}
    overlaps = {place: iou(found.distances[:, place], ends) for place, ends in positive.items()}
    least = min(0.6, max(overlap.item() for overlap in overlaps.values()))
    again = {place for place, overlap in overlaps.items() if overlap.item() >= least}
    parts: dict[str, list[Tensor]] = {name: [] for name in ("location", "center", "refined_location")}
    for place, ends in positive.items():
        coarse = found.distances[:, place]
        half = coarse.sum() / 2
        parts["location"].append(1 - overlaps[place])  # the hull of both is their union, as both hold the moment
        fit = iou(coarse + half * found.shifts[:, place], ends).clamp(min=0)
        parts["center"].append(F.binary_cross_entropy_with_logits(found.center[0, place], fit))
        if place in again:
            wanted = ((ends - coarse) / half).detach()
            parts["refined_location"].append(F.smooth_l1_loss(found.shifts[:, place], wanted, reduction="sum"))
    places = range(len(own))
    sums = {
        "location": sum(parts["location"]) / len(positive),
        "classification": sum(focal(found.logits[:, i], i in positive) for i in places) / len(positive),
        "center": sum(parts["center"]) / len(positive),
        "refined_location": sum(parts["refined_location"]) / len(again),
        "refined_classification": sum(focal(found.refined_logits[:, i], i in again) for i in places) / len(again),
    }
    for side, name in enumerate(("start", "end")):
        wanted = torch.tensor(boundary_targets(actions, side))
        loss = F.binary_cross_entropy(found.frame.chunk(2)[side].tanh().mean(0), wanted)
        for b in found.beside:
            loss = loss + 0.1 * F.binary_cross_entropy(b.chunk(2)[side].tanh().mean(0), wanted[::PER_FEATURE])
        sums[name] = loss
    return {name: torch.as_tensor(one) for name, one in sums.items()}


def detections(found: Found) -> list[tuple[float, float, float]]:
    """Starts, ends and scores, as shares of the sequence."""
    score = ((found.logits.softmax(0) + found.refined_logits.softmax(0)) / 2)[1] * found.center[0].sigmoid()
    moved = found.distances + found.distances.sum(0) / 2 * found.shifts
    rows = []
    for place, (at, _) in enumerate(priors()):
        if score[place] > 0.001:
            ends = np.clip([at - moved[0, place].item(), at + moved[1, place].item()], 0, FRAMES) / FRAMES
            if ends[1] - ends[0] > 0.05 / LENGTH:
                rows.append((*ends, score[place].item()))
    every, left = np.array(rows), np.array(rows)
    kept: list[tuple[float, float, float]] = []
    while len(left) and left[:, 2].max() >= 0.001 and len(kept) < 100:
        best = left[left[:, 2].argmax()]
        weight = every[:, 2] * (overlap(best, every) >= 0.9)
        kept.append((*(weight @ every[:, :2] / weight.sum()), best[2]))
        left = np.delete(left, left[:, 2].argmax(), axis=0)
        left[:, 2] *= np.exp(-(overlap(best, left) ** 2) / 0.85)
    return kept


def overlap(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    shared = (np.minimum(one[1], others[:, 1]) - np.maximum(one[0], others[:, 0])).clip(0)
    found: np.ndarray = shared / (one[1] - one[0] + others[:, 1] - others[:, 0] - shared)
    return found


class Published(NamedTuple):
    architecture: AFSD
    network: AFSDNetwork
    features: Tensor
    found: list[Found]
    detector: Detector


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder: Path = tmp_path_factory.mktemp("afsd")
    weights = drawn_weights()
    torch.save({"state_dict": {f"module.{name}": weight for name, weight in weights.items()}}, folder / "anet.pth")
    (folder / "settings.toml").write_text(SETTINGS, "utf-8")
    repository, config, read = read_published(folder / "settings.toml", folder / "anet.pth")
    architecture = architecture_of(config)
    assert isinstance(architecture, AFSD)
    network = architecture.network()
    load_published_weights(network, read, "anet.pth", repository)
    features = torch.randn(2, LENGTH, CHANNELS, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = [Reference(weights).outputs(one) for one in features]
    detector = convert(folder / "settings.toml", folder / "anet.pth", folder / "model")
    return Published(architecture, network, features, found, detector)


@torch.no_grad()
def test_outputs(published: Published) -> None:
    outputs: Outputs = published.network.eval()(published.features)
    for row, found in enumerate(published.found):
        for name in ("distances", "logits", "shifts", "refined_logits"):
            close(getattr(outputs, name)[row], getattr(found, name).mT)
        close(outputs.center[row], found.center[0])
        close(outputs.frame_boundaries[row], torch.stack([x.tanh().mean(0) for x in found.frame.chunk(2)], dim=1))


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=7e-5, rtol=7e-5)


def truth() -> GroundTruth:
    """In grid steps, which count from the middle of a feature."""
    segments = [torch.tensor(one) - 0.5 for one in ACTIONS]
    return GroundTruth(segments, [torch.zeros(len(one), dtype=torch.int64) for one in segments], [LENGTH] * 2, LENGTH)


def test_which_moment_learns_which_action(published: Published) -> None:
    targets = published.architecture.criterion().targets(truth())
    for row, actions in enumerate(ACTIONS):
        own = responsibilities(actions)
        assert targets.labels[row].tolist() == [int(one is not None) for one in own]
        torch.testing.assert_close(
            targets.distances[row], torch.tensor([one or (0.0, 0.0) for one in own]), rtol=1e-5, atol=1e-4
        )
        for side in (0, 1):
            assert targets.boundaries[row, :, side].tolist() == boundary_targets(actions, side)
    assert {level for (_, level), one in zip(priors(), responsibilities(ACTIONS[0]), strict=True) if one} == set(
        range(6)
    )


def test_losses(published: Published) -> None:
    outputs: Outputs = published.network.train()(published.features)
    (loss,) = published.architecture.criterion().losses([truth()], torch.device("cpu"))
    ours = {name: part.item() for name, part in loss(outputs).items()}
    theirs = [losses(*pair) for pair in zip(published.found, ACTIONS, strict=True)]
    assert ours == pytest.approx({name: (theirs[0][name] + theirs[1][name]).item() / 2 for name in ours}, rel=2e-5)


def test_detections(published: Published) -> None:
    """Times are shares of the duration."""
    duration = 48.0
    grid: dict[str, Any] = {
        "fps": 1.0,
        "stride": duration / LENGTH,
        "num_frames": duration / LENGTH,
        "duration": duration,
    }
    for features, found in zip(published.features, published.found, strict=True):
        ours, theirs = published.detector.detect(features.numpy(), **grid), np.array(detections(found))
        assert len(ours) == len(theirs)
        np.testing.assert_allclose(ours.scores, theirs[:, 2], atol=1e-5)
        apart = np.abs(ours.segments[:, None] - theirs[:, :2] * duration).max(-1)
        assert sorted(apart.argmin(1).tolist()) == list(range(len(theirs)))
        assert apart.min(1).max() < 1e-3
