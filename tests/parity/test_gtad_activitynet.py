"""G-TAD's ActivityNet branches against the published formulas, written out again in other terms than ours.

32 bins of features, 4 of their neighbours, a map whose segments do not see one another; the authors' and OpenTAD's.
"""

import itertools
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.detectors.base import architecture_of
from actionformer.detectors.gtad.architecture import GTAD
from actionformer.detectors.gtad.network import GTADNetwork
from actionformer.interop import convert
from actionformer.interop.convert import read_published
from actionformer.interop.gtad import ACTIVITYNET, OPENTAD
from actionformer.interop.published_weights import load_published_weights
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.segment_map.criterion import MapCriterion
from actionformer.nn.segment_map.outputs import MapOutputs
from actionformer.settings.config import Config

LENGTH, CHANNELS, WIDTH, INSIDE, SAMPLED, ON_MAP, GROUPS = 12, 8, 16, 8, 10, 6, 4
BINS = 32, 4
ACTIONS = [[[0.37, 3.61], [5.23, 11.41]], [[2.07, 9.33]], [[7.1, 8.4], [0.0, 6.2]]]
"""Of three videos, starts and ends in steps."""
EXTRACTOR = "roi_head.proposal_roi_extractor"
NAMES = {
    "activitynet": {
        "preset": "gtad_activitynet_tsn",
        "base": "backbone1.0",
        "graph": "backbone1.2",
        "start": ("regu_s.0", "regu_s.1"),
        "end": ("regu_e.0", "regu_e.1"),
        "context": "backbone2.0",
        "vector": "localization.0",
        "map": [f"localization.{place}" for place in (2, 4, 6, 8)],
    },
    "opentad": {
        "preset": "gtad_activitynet_tsp",
        "base": "projection.convs.0.conv",
        "graph": "neck",
        "start": ("rpn_head.tem.0.0", "rpn_head.tem.0.1.conv"),
        "end": ("rpn_head.tem.1.0", "rpn_head.tem.1.1.conv"),
        "context": f"{EXTRACTOR}.gcnext",
        "vector": f"{EXTRACTOR}.conv2d.0",
        "map": [*(f"roi_head.proposal_head.head.{place}.0" for place in range(3)), "roi_head.proposal_head.head.3"],
    },
}
"""What a branch calls its layers."""


def drawn_weights(names: dict[str, Any]) -> dict[str, Tensor]:
    """A checkpoint's weights, in the published shapes."""
    shapes: dict[str, tuple[int, ...]] = {names["base"]: (WIDTH, CHANNELS // 4, 3)}
    for block in (names["graph"], names["start"][0], names["end"][0], names["context"]):
        shapes |= {
            f"{block}.tconvs.0": (INSIDE, WIDTH, 1),
            f"{block}.tconvs.2": (INSIDE, INSIDE // GROUPS, 3),
            f"{block}.tconvs.4": (WIDTH, INSIDE, 1),
            f"{block}.sconvs.0": (INSIDE, 2 * WIDTH, 1, 1),
            f"{block}.sconvs.2": (INSIDE, INSIDE // GROUPS, 1, 1),
            f"{block}.sconvs.4": (WIDTH, INSIDE, 1, 1),
        }
    shapes |= {names["start"][1]: (1, WIDTH, 1), names["end"][1]: (1, WIDTH, 1)}
    shapes[names["vector"]] = (SAMPLED, WIDTH * sum(BINS), 1, 1)
    widths = [SAMPLED, ON_MAP, ON_MAP, ON_MAP, 2]
    shapes |= {name: (b, a, 1, 1) for name, (a, b) in zip(names["map"], itertools.pairwise(widths), strict=True)}
    drawn = torch.Generator().manual_seed(3)
    weights = {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = torch.randn(shape, generator=drawn) / math.sqrt(math.prod(shape[1:]))
        weights[f"{name}.bias"] = 0.1 * torch.randn(shape[0], generator=drawn)
    return weights


class Reference:
    """The published network and loss, sequence by sequence and segment by segment."""

    def __init__(self, weights: dict[str, Tensor], names: dict[str, Any]) -> None:
        self.weights, self.names = weights, names
        self.half = names is NAMES["opentad"]

    def conv(self, x: Tensor, name: str, **how: int) -> Tensor:
        """(C, T) -> (O, T), or (C, a, b) -> (O, a, b)."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        apply = F.conv1d if weight.ndim == 3 else F.conv2d
        found: Tensor = apply(x[None], weight, bias, **how)[0]
        return found

    def neighbors(self, x: Tensor) -> list[list[int]]:
        apart = (x[:, :, None] - x[:, None]).square().sum(0)
        return [sorted(range(x.shape[1]), key=row.__getitem__)[:3] for row in apart.tolist()]

    def block(self, x: Tensor, name: str) -> Tensor:
        t = self.conv(x, f"{name}.tconvs.0").relu()
        t = self.conv(self.conv(t, f"{name}.tconvs.2", padding=1, groups=GROUPS).relu(), f"{name}.tconvs.4")
        pairs = torch.stack([torch.cat((x[:, at], x[:, [i] * 3])) for i, at in enumerate(self.neighbors(x))], dim=1)
        s = self.conv(pairs, f"{name}.sconvs.0").relu()  # (inside, T, 3)
        s = self.conv(self.conv(s, f"{name}.sconvs.2", groups=GROUPS).relu(), f"{name}.sconvs.4")
        return (t + x + s.amax(2)).relu()

    def outputs(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(T, D) -> logits of starts and ends (T,) and of the map (2, duration, start)."""
        x = self.conv(features.mT, self.names["base"], padding=1, groups=4).relu()
        x = self.block(x, self.names["graph"])
        start, end = (self.conv(self.block(x, a), b)[0] for a, b in (self.names["start"], self.names["end"]))
        own = self.block(x, self.names["context"])
        beside = torch.stack([own[:, at].mean(1) for at in self.neighbors(own)], dim=1)
        if self.half:
            own, beside = own.half().float(), beside.half().float()
        cells = []
        for d, t in itertools.product(range(LENGTH), range(LENGTH)):
            reach = (d + 1) / 2
            segment = (t - reach, t + d + self.half + reach) if t + d < LENGTH else (0.0, 0.0)
            parts = [aligned(one, segment, bins) for one, bins in ((own, BINS[0]), (beside, BINS[1]))]
            cells.append(torch.cat(parts, dim=1).flatten())  # the bins of a channel lie together
        y = self.conv(torch.stack(cells, dim=1).view(-1, LENGTH, LENGTH), self.names["vector"]).relu()
        for name in self.names["map"][:-1]:
            y = self.conv(y, name).relu()
        return start, end, self.conv(y, self.names["map"][-1])


def aligned(x: Tensor, segment: tuple[float, float], bins: int) -> Tensor:
    """Features (C, T) of a segment in bins (C, R)."""
    width = max(segment[1] - segment[0], 1.0) / bins
    count = math.ceil(width)
    found = torch.zeros(len(x), bins)
    for place in range(bins):
        for sample in range(count):
            at = segment[0] + place * width + (sample + 0.5) * width / count
            if -1 <= at <= LENGTH:
                low = math.floor(max(at, 0))
                share = max(at, 0) - low
                value = x[:, -1] if low >= LENGTH - 1 else (1 - share) * x[:, low] + share * x[:, low + 1]
                found[:, place] += value / count
    return found


class Branch(NamedTuple):
    name: str
    checkpoint: Path
    settings: Path
    config: Config
    network: GTADNetwork
    reference: Reference

    @property
    def features(self) -> Tensor:
        return torch.randn(3, LENGTH, CHANNELS, generator=torch.Generator().manual_seed(5))

    @property
    def architecture(self) -> GTAD:
        found = architecture_of(self.config)
        assert isinstance(found, GTAD)
        return found


@pytest.fixture(params=NAMES)
def branch(request: pytest.FixtureRequest, tmp_path: Path) -> Branch:
    name = str(request.param)
    checkpoint, settings = tmp_path / "checkpoint.pth.tar", tmp_path / "settings.toml"
    weights = drawn_weights(NAMES[name])
    torch.save({"epoch": 9, "state_dict": {f"module.{one}": w for one, w in weights.items()}}, checkpoint)
    sizes = f"width = {WIDTH}\ngraph_width = {INSIDE}\nsampled_width = {SAMPLED}\nmap_width = {ON_MAP}\n"
    sizes += f"graph_groups = {GROUPS}\ninput_dim = {CHANNELS}\nmax_length = {LENGTH}\n"
    settings.write_text(f'preset = "{NAMES[name]["preset"]}"\n[data]\nresize = {LENGTH}\n[model]\n{sizes}', "utf-8")
    repository, config, read = read_published(settings, checkpoint)
    assert repository is {"activitynet": ACTIVITYNET, "opentad": OPENTAD}[name]
    network = architecture_of(config).network()
    assert isinstance(network, GTADNetwork)
    load_published_weights(network, read, str(checkpoint), repository)
    return Branch(name, checkpoint, settings, config, network.eval(), Reference(weights, NAMES[name]))


@torch.inference_mode()
def test_outputs(branch: Branch) -> None:
    found: MapOutputs = branch.network(branch.features)
    for row, one in enumerate(branch.features):
        start, end, on_map = branch.reference.outputs(one)
        overlap, classes = (0, 1) if branch.name == "activitynet" else (1, 0)
        for ours, theirs in (
            (found.start[row], start),
            (found.end[row], end),
            (found.overlap[row], on_map[overlap]),
            (found.classes[row, ..., 0], on_map[classes]),
        ):
            torch.testing.assert_close(ours, theirs, atol=3e-6, rtol=3e-6)


def truth_of(actions: list[list[list[float]]]) -> GroundTruth:
    """In grid steps, which count from the middle of a step."""
    segments = [torch.tensor(one) - 0.5 for one in actions]
    return GroundTruth(segments, [torch.zeros(len(one), dtype=torch.int64) for one in segments], [LENGTH] * 3, LENGTH)


def boundary_targets(actions: list[list[float]], side: int, opentad: bool) -> list[float]:
    """Of each step the largest share that lies within 1.5 steps of a boundary."""
    first, wide = (0.0, 1.0) if opentad else (-0.5, 2.0)  # the authors' steps are two wide
    shares = [
        max(max(min(t + first + wide, one[side] + 1.5) - max(t + first, one[side] - 1.5), 0) / wide for one in actions)
        for t in range(LENGTH)
    ]
    return [float(int(share)) for share in shares] if opentad else shares


def overlap_targets(actions: list[list[float]]) -> np.ndarray:
    """(duration, start) the largest tIoU of [t, t + d + 1] with an action; 0 beyond the end."""
    found = np.zeros((LENGTH, LENGTH))
    for d, t in itertools.product(range(LENGTH), range(LENGTH)):
        if t + d < LENGTH:
            for start, end in actions:
                shared = max(min(t + d + 1, end) - max(t, start), 0)
                found[d, t] = max(found[d, t], shared / (d + 1 + end - start - shared))
    return found


def test_targets(branch: Branch) -> None:
    targets = branch.architecture.criterion().targets(truth_of(ACTIONS))
    opentad = branch.name == "opentad"
    for row, actions in enumerate(ACTIONS):
        np.testing.assert_allclose(targets.overlap[row], overlap_targets(actions).flatten(), atol=1e-6)
        for side, found in enumerate((targets.start, targets.end)):
            assert found[row].tolist() == [share > 0.5 for share in boundary_targets(actions, side, opentad)]


def balanced(probability: np.ndarray, positive: np.ndarray, tiny: float) -> float:
    """Mean of the cross-entropy in which both sides count half."""
    ratio = positive.size / positive.sum()
    yes, no = ratio / 2 * np.log(probability + tiny), ratio / 2 / (ratio - 1) * np.log(1 - probability + tiny)
    return float(-np.where(positive, yes, no).mean())


def squares(probability: np.ndarray, overlap: np.ndarray, uniform: tuple[np.ndarray, ...], opentad: bool) -> float:
    """The sampled error of overlaps, over the whole map or over the cells that are segments."""
    high, middle = overlap > 0.7, (overlap > 0.3) & (overlap <= 0.7)
    low = (overlap <= 0.3) if opentad else (overlap > 0) & (overlap <= 0.3)
    counted = [high.astype(float)]
    counted += [one * kind > 1 - high.sum() / kind.sum() for one, kind in zip(uniform, (middle, low), strict=True)]
    number = sum(one.astype(float) for one in counted)
    if opentad:
        return float((number * (probability - overlap) ** 2).sum() / number.sum())
    return float(0.5 * (number**2 * (probability - overlap) ** 2).sum() / number.sum())


def test_loss_of_a_step(branch: Branch) -> None:
    """Of the authors: boundaries, 10 times overlaps, classes; of OpenTAD: overlaps count 5 times."""
    opentad = branch.name == "opentad"
    plain = branch.architecture.criterion()
    uniform = [torch.rand(3, LENGTH**2, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    draws: Iterator[Tensor] = iter(uniform)

    def draw(shape: tuple[int, ...], draws: Iterator[Tensor]) -> Tensor:
        found = next(draws)
        assert found.shape == shape
        return found

    criterion = MapCriterion(
        plain.cells, plain.rules, length=LENGTH, num_classes=1, shift=plain.shift, draw=partial(draw, draws=draws)
    )
    outputs: MapOutputs = branch.network(branch.features)
    (loss,) = criterion.losses([truth_of(ACTIONS)], torch.device("cpu"))
    found = loss(outputs)
    tiny = 0.0 if opentad else 1e-6
    start, end, overlap, classes = (one.detach().double().sigmoid().numpy() for one in outputs[:4])
    wanted = [np.array([boundary_targets(actions, side, opentad) for actions in ACTIONS]) > 0.5 for side in (0, 1)]
    cells = np.array([t + d < LENGTH for d, t in itertools.product(range(LENGTH), range(LENGTH))])
    overlaps = np.stack([overlap_targets(actions).flatten() for actions in ACTIONS])
    where = cells if opentad else np.ones_like(cells)
    expected = {
        "boundaries": balanced(start, wanted[0], tiny) + balanced(end, wanted[1], tiny),
        "overlap": (5 if opentad else 10)
        * squares(
            overlap.reshape(3, -1)[:, where],
            overlaps[:, where],
            tuple(one.numpy()[:, where] for one in uniform),
            opentad,
        ),
        "classes": balanced(classes.reshape(3, -1)[:, cells], overlaps[:, cells] > 0.9, tiny),
    }
    assert {name: part.item() for name, part in found.items()} == pytest.approx(expected, rel=1e-5)


def test_a_checkpoint_becomes_a_model_that_detects(branch: Branch, tmp_path: Path) -> None:
    detector = convert(branch.settings, branch.checkpoint, tmp_path / "model")
    features = np.random.default_rng(0).standard_normal((40, CHANNELS)).astype(np.float32)
    found = detector.detect(features, fps=30.0, duration=21.3)
    assert 0 < len(found) <= 100
    assert found.segments.max() <= 21.3
