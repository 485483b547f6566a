"""BMN against the numbers of two published implementations: stages, targets, losses, gradients, weights, detections.

OpenTAD's small case lies in the project, JJBOY's beside the checkout.
"""

import dataclasses
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor

from actionformer.core.detections import Detections
from actionformer.detectors.base import architecture_of
from actionformer.detectors.bmn.architecture import BMN
from actionformer.detectors.bmn.matching import sampling
from actionformer.detectors.bmn.network import BMNNetwork
from actionformer.inference.suppression import suppress
from actionformer.interop import convert
from actionformer.interop.convert import read_published
from actionformer.interop.published_weights import from_published_shape, load_published_weights
from actionformer.interop.repository import Repository
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.segment_map.criterion import MapCriterion
from actionformer.nn.segment_map.outputs import MapOutputs
from actionformer.nn.segment_map.targets import boundary_shares
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.training.optimisation import build_optimizer, clip_gradients

TOLERANCE = 2e-6
CPU = torch.device("cpu")
SHAPE = {"input_dim": 20, "width": 16, "sampled_width": 24, "map_width": 12, "bins": 8, "max_length": 16}
CASES: dict[str, dict[str, Any]] = {
    "jjboy": {
        "preset": "bmn_activitynet_tsn",
        "data": {"resize": 16},
        "model": {"reduced_width": 16} | SHAPE,
    },
    "opentad": {
        "preset": "bmn_activitynet_tsp",
        "data": {"resize": 16},
        "model": {"reduced_width": 12, "max_duration": 10} | SHAPE,
        "training": {"learning_rate": 1e-3},
        "suppression": {"min_score": 1e-4},
    },
}
DURATIONS = {"opentad": (61.2, 20.0, 44.4)}
"""Seconds of the videos, where arrays do not say."""


class Published(NamedTuple):
    name: str
    repository: Repository
    config: Config
    network: BMNNetwork
    inference: NpzFile
    training: NpzFile
    settings: Path
    checkpoint: Path

    @property
    def architecture(self) -> BMN:
        found = architecture_of(self.config)
        assert isinstance(found, BMN)
        return found

    @property
    def features(self) -> Tensor:
        if self.name == "opentad":
            return torch.from_numpy(self.inference["features"])
        return torch.from_numpy(np.stack([self.inference[f"{video}.features"] for video in range(3)]))

    @property
    def valid(self) -> Tensor | None:
        return torch.from_numpy(self.inference["mask"]) if self.name == "opentad" else None

    def seconds_per_step(self, video: int) -> float:
        if self.name == "opentad":
            return DURATIONS["opentad"][video] / 16
        duration, frames, featured = (
            float(self.inference[f"{video}.{one}"]) for one in ("duration_seconds", "frames", "feature_frames")
        )
        return duration * featured / frames / 16

    def segments(self, video: int) -> Tensor:
        """Of its actions, in steps."""
        if self.name == "opentad":
            return torch.from_numpy(self.inference[f"{video}.segments_grid"])
        return torch.from_numpy(self.inference[f"{video}.segments_seconds"] / self.seconds_per_step(video)).float()

    def truth(self) -> GroundTruth:
        """In grid steps, which count from the middle of a step."""
        segments = [self.segments(video) - 0.5 for video in range(3)]
        return GroundTruth(segments, [torch.zeros(len(one), dtype=torch.int64) for one in segments], [16] * 3, 16)

    @torch.inference_mode()
    def outputs(self) -> MapOutputs:
        outputs: MapOutputs = self.network.eval()(self.features, self.valid)
        return outputs


@pytest.fixture(params=CASES)
def published(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Published]:
    name = str(request.param)
    folder: Path = request.getfixturevalue("small") / "bmn"
    if name == "jjboy":
        folder = request.getfixturevalue("shared") / "parity" / "family" / "bmn"
    tables = CASES[name]
    settings = tmp_path / "settings.toml"
    settings.write_text(toml_of(tables), "utf-8")
    checkpoint = folder / {"jjboy": "jjboy.pth.tar", "opentad": "opentad.pth"}[name]
    repository, config, weights = read_published(settings, checkpoint)
    network = architecture_of(config).network()
    assert isinstance(network, BMNNetwork)
    load_published_weights(network, weights, str(checkpoint), repository)
    with np.load(folder / f"{name}_inference.npz") as inference, np.load(folder / f"{name}_training.npz") as training:
        yield Published(name, repository, config, network, inference, training, settings, checkpoint)


def toml_of(tables: dict[str, Any]) -> str:
    lines = [f'preset = "{tables["preset"]}"']
    for section, values in tables.items():
        if section != "preset":
            lines += [f"[{section}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    return "\n".join(lines) + "\n"


def close(found: Any, expected: Any, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(np.asarray(found), expected, rtol=tolerance, atol=tolerance)


def test_the_repository_is_told_by_the_weights(published: Published) -> None:
    assert published.architecture.settings.convention == published.name
    assert published.config.data.normalize is False
    assert published.config.decoding.cap_per == published.config.suppression.cap_per == "video"


def test_boundaries_and_map(published: Published) -> None:
    found, arrays = published.outputs(), published.inference
    if published.name == "opentad":
        close(torch.stack((found.start, found.end), 1), arrays["start_end_logits"])
        close(found.classes[..., 0], arrays["map_logits"][:, 0])
        close(found.overlap, arrays["map_logits"][:, 1])
        return
    close(found.start.sigmoid(), arrays["start"])
    close(found.end.sigmoid(), arrays["end"])
    close(found.overlap.sigmoid(), arrays["map"][:, 0])
    close(found.classes[..., 0].sigmoid(), arrays["map"][:, 1])


@torch.inference_mode()
def test_samples_of_segments(published: Published) -> None:
    """JJBOY's stored samples, and its mask; OpenTAD's features of the map after the layer."""
    network, cells, rules = published.network, published.architecture.cells, published.architecture.rules
    x = published.features
    for conv in network.base:
        x = torch.relu(conv(x))
        if published.valid is not None:
            x = x * published.valid.unsqueeze(-1)
    close(x, published.inference["base"])
    if published.name == "opentad":
        found = network.map.placed(network.matching(torch.relu(network.reduce(x))))
        close(found.permute(0, 3, 1, 2), published.inference["map_features"])
        return
    cell, column, weight = sampling(cells, 16, rules, bins=8, per_bin=3)
    matrix = torch.zeros(cells.size, 16 * 8, dtype=torch.float64).index_put_(
        (cells.index[cell], column), weight, accumulate=True
    )
    mask = torch.load(published.checkpoint, weights_only=True)["state_dict"]["module.sample_mask"]
    by_feature = matrix.view(cells.size, 16, 8).permute(1, 2, 0)
    close(by_feature.reshape(16, -1), mask)
    sampled = torch.einsum("tnm,tc->cnm", by_feature.float(), torch.relu(network.reduce(x))[0, :, :4])
    close(sampled.view(4, 8, 16, 16), published.inference["sampled0"])


def test_targets(published: Published) -> None:
    targets = published.architecture.criterion().targets(published.truth())
    arrays, rules = published.training, published.architecture.rules
    close(targets.overlap, arrays["target_iou"].reshape(3, -1))
    for side, (name, found) in enumerate((("target_start", targets.start), ("target_end", targets.end))):
        np.testing.assert_array_equal(found, arrays[name] > 0.5)
        if published.name == "jjboy":
            shares = [boundary_shares(published.segments(video)[:, side], 16, rules) for video in range(3)]
            close(torch.stack(shares), arrays[name])


def drawing(published: Published, step: int) -> Iterator[Tensor]:
    """The numbers that were drawn in a step, as places of the map."""
    cells = published.architecture.cells
    for kind in ("m", "l"):
        uniform = torch.from_numpy(published.training[f"step{step}.uniform_{kind}"])
        if published.name == "jjboy":
            yield uniform.flatten(1)
            continue
        places = torch.zeros(3, cells.size)
        places[:, cells.index] = uniform
        yield places


def next_of(drawn: Iterator[Tensor], shape: tuple[int, ...]) -> Tensor:
    found = next(drawn)
    assert found.shape == shape
    return found


def test_losses_gradients_and_weights(published: Published) -> None:
    cases = {"jjboy": ("boundaries", "overlap", "classes"), "opentad": ("boundaries", "classes", "overlap")}
    architecture, network, arrays = published.architecture, published.network.train(), published.training
    settings = published.config.training
    optimizer = build_optimizer(settings, network, architecture.weight_rule)
    for step in range(3):
        drawn: Iterator[Tensor] = drawing(published, step)
        plain = architecture.criterion()
        criterion = MapCriterion(
            plain.cells, plain.rules, length=16, num_classes=1, shift=plain.shift, draw=partial(next_of, drawn)
        )
        (loss,) = criterion.losses([published.truth()], CPU)
        parts = loss(network(published.features, published.valid))
        expected = arrays["losses"][step].copy()
        if published.name == "jjboy":
            expected[1] *= 10  # stored without its weight
        close([parts[name].item() for name in cases[published.name]], expected[:3])
        total = torch.stack(list(parts.values())).sum()
        close(total.item(), expected[3])
        optimizer.zero_grad()
        total.backward()
        if step == 0:
            _check_gradients(published)
        close(clip_gradients(network.parameters(), settings.gradient_clip), arrays["grad_norms"][step])
        optimizer.step()
    stored = {
        name.removeprefix("after."): torch.from_numpy(arrays[name]) for name in arrays if name.startswith("after.")
    }
    after = published.repository.prepare(stored)
    for name, parameter in network.named_parameters():
        expected = from_published_shape(after[published.repository.published_name(name)], parameter)
        close(parameter.detach(), expected)


def _check_gradients(published: Published) -> None:
    parameters, outer = dict(published.network.named_parameters()), ("map.overlap.", "map.classes.")
    for name, parameter in parameters.items():
        assert parameter.grad is not None
        if not name.startswith(outer):
            close(parameter.grad.norm(), published.training[f"grad_norm.{published.repository.published_name(name)}"])
    last = {"jjboy": "x_2d_p.6", "opentad": "roi_head.proposal_head.head.2"}[published.name]
    for kind in ("weight", "bias"):
        both = [parameters[one + kind].grad for one in outer]
        norm = torch.stack([one.norm() for one in both if one is not None]).norm()
        close(norm, published.training[f"grad_norm.{last}.{kind}"])


def same_detections(found: Detections, segments: Any, scores: Any, seconds: float, digits: float) -> None:
    """As sets, paired by segment."""
    assert len(found) == len(scores)
    distances = np.abs(found.segments[:, None] - segments).max(-1)
    pair = distances.argmin(1)
    assert sorted(pair.tolist()) == list(range(len(scores)))
    assert distances.min(1).max() <= seconds
    assert np.abs(found.scores - scores[pair]).max() <= digits


def test_opentads_detections(small: Path, tmp_path: Path) -> None:
    """From features to seconds; the file is rounded to 0.01 s and 0.0001."""
    (tmp_path / "settings.toml").write_text(toml_of(CASES["opentad"]), "utf-8")
    detector = convert(tmp_path / "settings.toml", small / "bmn" / "opentad.pth", tmp_path / "model")
    proposing = detector.with_settings(
        decoding={"boundary_scores": True},
        suppression={"sigma": 0.4, "soft_from": 0.5, "soft_from_width": 0.4, "min_score": 0.0, "voting_threshold": 0.0},
    )
    with np.load(small / "bmn" / "opentad_inference.npz") as arrays:
        for video, duration in enumerate(DURATIONS["opentad"][:2]):  # the third one is padded
            grid: dict[str, Any] = {
                "fps": 1.0,
                "stride": duration / 16,
                "num_frames": duration / 16,
                "duration": duration,
            }
            for one, kind in ((detector, "detection"), (proposing, "proposals")):
                found = one.detect(arrays["features"][video], **grid)
                segments, scores = (arrays[f"{video}.{kind}.{name}"] for name in ("segments", "scores"))
                same_detections(found, segments, scores, 0.0051, 5.1e-5)


def test_jjboys_candidates_and_detections(published: Published) -> None:
    if published.name != "jjboy":
        return
    decoder = published.architecture.decoder()
    decoder.add(published.outputs())
    for video, found in enumerate(decoder.candidates()):
        stored = published.inference[f"{video}.candidates"]
        own = np.c_[(found.segments.numpy() + 0.5) / 16, found.scores.numpy()]
        close(own[np.lexsort(own.T[1::-1])], stored[np.lexsort(stored.T[1::-1])])
        labels = np.zeros(len(stored), np.int64)
        kept = suppress(16 * stored[:, :2], stored[:, 2], labels, published.config.suppression.in_steps(16))
        same_detections(
            Detections(kept.segments * published.seconds_per_step(video), kept.scores, kept.labels, ("action",)),
            published.inference[f"{video}.segments"],
            published.inference[f"{video}.scores"],
            1e-5,
            TOLERANCE,
        )


def test_where_long_actions_dominate_the_authors_draw_all_of_the_map() -> None:
    """With more cells of much overlap than of less and little, also cells that are no segment count, and count double.

    loss = 1/2 sum w^2 (p - g)^2 / sum w, w = much + any + any: 3 for cells of much overlap, 2 for all others.
    """
    config = load_config("bmn_activitynet_tsn_published", {"data": {"resize": 16}, "model": {"input_dim": 20}})
    plain = architecture_of(config).criterion()
    assert isinstance(plain, MapCriterion)
    drawn = np.random.default_rng(0)
    kinds = np.array([0.8] * 91 + [0.5] * 29 + [0.2] * 16)  # of the 136 segments of 16 steps
    overlap = np.zeros((1, 256))
    overlap[:, plain.cells.index] = drawn.permutation(kinds)
    prediction = drawn.uniform(0.05, 0.95, (1, 256))
    truth = GroundTruth([torch.zeros(0, 2)], [torch.zeros(0, dtype=torch.int64)], [16], 16)
    targets = dataclasses.replace(plain.targets(truth), overlap=torch.from_numpy(overlap).float())
    (number,) = plain.drawn([targets])
    weight = np.where(overlap > 0.7, 3.0, 2.0)
    np.testing.assert_array_equal(number, weight)
    criterion = MapCriterion(plain.cells, plain.rules, length=16, num_classes=1, shift=plain.shift)
    criterion.targets = lambda truth: targets
    (loss,) = criterion.losses([truth], CPU)
    on_map = torch.from_numpy(prediction).logit().view(1, 16, 16)
    outputs = MapOutputs(torch.zeros(1, 16), torch.zeros(1, 16), on_map, torch.zeros(1, 16, 16, 1))
    expected = 0.5 * (weight**2 * (prediction - overlap) ** 2).sum() / weight.sum()
    assert loss(outputs)["overlap"].item() == pytest.approx(10 * expected, rel=1e-6)
