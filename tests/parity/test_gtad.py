"""G-TAD against the numbers of two published implementations: stages, targets, losses, gradients, weights, detections.

OpenTAD's small case lies in the project without the weights after training; these and the authors' lie beside the
checkout.
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

from actionformer.detectors.base import architecture_of
from actionformer.detectors.gtad.architecture import GTAD
from actionformer.detectors.gtad.graph import nearest
from actionformer.detectors.gtad.network import GTADNetwork
from actionformer.inference.suppression import suppress
from actionformer.inference.windows import suppressed
from actionformer.interop import convert
from actionformer.interop.convert import read_published
from actionformer.interop.published_weights import from_published_shape, load_published_weights
from actionformer.interop.repository import Repository
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.decoding import Candidates
from actionformer.nn.layers import masked
from actionformer.nn.roi_align import roi_align
from actionformer.nn.segment_map.criterion import MapCriterion
from actionformer.nn.segment_map.outputs import MapOutputs
from actionformer.nn.segment_map.targets import boundary_shares
from actionformer.settings.config import Config
from actionformer.training.optimisation import build_optimizer, clip_gradients

TOLERANCE = 3e-6
GRADIENTS = 1.5e-5
CPU = torch.device("cpu")
LENGTH = 24
SHAPE = {
    "input_dim": 20, "width": 32, "graph_width": 16, "graph_groups": 4, "sampled_width": 48, "map_width": 16,
    "max_length": LENGTH, "max_duration": 10,
}  # fmt: skip
PRESETS = {"thumos14": "gtad_thumos14_tsn", "opentad": "gtad_thumos14_i3d"}
CHECKPOINTS = {"thumos14": "master.pth.tar", "opentad": "opentad.pth"}
ARRAYS = {"thumos14": "master", "opentad": "opentad"}
LAST = {"thumos14": "localization.8", "opentad": "roi_head.proposal_head.head.3"}


class Published(NamedTuple):
    name: str
    repository: Repository
    config: Config
    network: GTADNetwork
    inference: NpzFile
    training: NpzFile

    @property
    def architecture(self) -> GTAD:
        found = architecture_of(self.config)
        assert isinstance(found, GTAD)
        return found

    @property
    def windows(self) -> int:
        """Windows."""
        return 2 if self.name == "opentad" else 3

    @property
    def features(self) -> Tensor:
        if self.name == "opentad":
            return torch.from_numpy(self.inference["features"])
        return torch.from_numpy(np.stack([self.inference[f"{window}.features"] for window in range(self.windows)]))

    @property
    def valid(self) -> Tensor | None:
        return torch.from_numpy(self.inference["mask"]) if self.name == "opentad" else None

    def segments(self, window: int) -> Tensor:
        """Of its actions, in grid steps."""
        if self.name == "opentad":
            return torch.from_numpy(self.inference[f"{window}.segments_grid"])
        first = int(self.inference[f"{window}.first_frame"])
        return torch.from_numpy((self.inference[f"{window}.segments_frames"] - first) / 5 - 0.5)

    def truth(self, only: list[int] | None = None) -> GroundTruth:
        rows = only or list(range(self.windows))
        segments = [self.segments(row) for row in rows]
        labels = [torch.zeros(len(one), dtype=torch.int64) for one in segments]
        return GroundTruth(segments, labels, [LENGTH] * len(rows), LENGTH)

    @torch.inference_mode()
    def outputs(self) -> MapOutputs:
        outputs: MapOutputs = self.network.eval()(self.features, self.valid)
        return outputs


def toml_of(name: str) -> str:
    lines = [f'preset = "{PRESETS[name]}"', f"[data]\nwindow = {LENGTH}", "[model]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in SHAPE.items()]
    return "\n".join([*lines, "[training]", "learning_rate = 1e-3", ""])


@pytest.fixture(params=[("opentad", "small"), ("opentad", "shared"), ("thumos14", "shared")], ids="-".join)
def published(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Published]:
    name, place = request.param
    folder: Path = request.getfixturevalue(place)
    folder = folder / "gtad" if place == "small" else folder / "parity" / "family" / "gtad"
    settings = tmp_path / "settings.toml"
    settings.write_text(toml_of(name), "utf-8")
    checkpoint = folder / CHECKPOINTS[name]
    repository, config, weights = read_published(settings, checkpoint)
    network = architecture_of(config).network()
    assert isinstance(network, GTADNetwork)
    load_published_weights(network, weights, str(checkpoint), repository)
    arrays = ARRAYS[name]
    with (
        np.load(folder / f"{arrays}_inference.npz") as inference,
        np.load(folder / f"{arrays}_training.npz") as training,
    ):
        yield Published(name, repository, config, network, inference, training)


def close(found: Any, expected: Any, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(np.asarray(found), expected, rtol=tolerance, atol=tolerance)


def test_the_repository_is_told_by_the_weights(published: Published) -> None:
    assert published.architecture.settings.convention == published.name
    assert published.config.data.normalize is False


@torch.inference_mode()
def test_graph_neighbours_and_samples_of_segments(published: Published) -> None:
    network, arrays, valid = published.network, published.inference, published.valid
    x = masked(torch.relu(network.base(published.features)), valid)
    if published.name == "thumos14":
        close(x, arrays["gcn_input"])
    x = masked(network.graph(x, None), valid)
    close(x, arrays["base"])
    context = network.context(x, None)
    if published.name == "opentad":
        found = network.map.placed(network.align(*network.sources(context, None)))
        close(found.permute(0, 3, 1, 2), arrays["map_features"])
        return
    close(context, arrays["graph"])
    np.testing.assert_array_equal(nearest(context, None, 3), arrays["neighbours"])
    cells = published.architecture.cells
    around = cells.lengths / 2
    segments = torch.stack((cells.first - around, cells.last + around), dim=1)
    stored = torch.from_numpy(arrays["aligned0"]).flatten(2)[..., cells.index]  # (6, 32, V)
    for source, rows in zip(network.sources(context, None), (slice(0, 16), slice(16, 32)), strict=True):
        aligned = roi_align(source[:1, :, :6], segments, bins=16, longest=20.0)[0]
        close(aligned.permute(2, 1, 0), stored[:, rows])


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


def criterion_of(published: Published, **changes: Any) -> MapCriterion:
    plain = published.architecture.criterion()
    rules = dataclasses.replace(plain.rules, **changes)
    return MapCriterion(plain.cells, rules, length=LENGTH, num_classes=1, shift=plain.shift)


def test_targets(published: Published) -> None:
    """On the map, actions of the authors' code are 2 or 3 frames of 5 late: it rounds where a window begins."""
    if published.name == "opentad":
        pytest.skip("its losses stand for its targets, of which none are stored")
    for window in range(published.windows):
        first = int(published.inference[f"{window}.first_frame"])
        one = criterion_of(published, map_offset=(first - int(first - 2.5)) / 5)
        found = one.targets(published.truth([window]))
        cells = one.cells.index  # published, the cells beyond the window have targets too, which count nowhere
        close(found.overlap[0, cells], published.inference[f"{window}.target_iou"].flatten()[cells])
        for side, name in enumerate(("start", "end")):
            shares = boundary_shares(published.segments(window)[:, side] + one.shift, LENGTH, one.rules)
            close(shares, published.inference[f"{window}.target_{name}"])


def next_of(drawn: Iterator[Tensor], shape: tuple[int, ...]) -> Tensor:
    found = next(drawn)
    assert found.shape == shape
    return found


def drawing(published: Published, step: int) -> Iterator[Tensor]:
    """The numbers that were drawn in a step, as places of the map."""
    cells = published.architecture.cells
    for kind in ("m", "l"):
        uniform = torch.from_numpy(published.training[f"step{step}.uniform_{kind}"])
        if published.name == "thumos14":
            yield uniform.flatten(1)
            continue
        places = torch.zeros(published.windows, cells.size)
        places[:, cells.index] = uniform
        yield places


def with_stored_overlaps(published: Published, one: MapCriterion) -> MapCriterion:
    """The authors' targets of every window, each late by its own frames."""
    if published.name == "thumos14":
        stored = torch.from_numpy(published.training["target_iou"]).flatten(1)
        plain = one.targets

        def targets(truth: GroundTruth) -> Any:
            found = plain(truth)
            overlap = stored * found.counts
            return dataclasses.replace(found, overlap=overlap, classes=(overlap > 0.9)[..., None])

        one.targets = targets
    return one


def test_losses_gradients_and_weights(published: Published) -> None:
    names = {"thumos14": ("boundaries", "overlap", "classes"), "opentad": ("boundaries", "classes", "overlap")}
    architecture, network, arrays = published.architecture, published.network.train(), published.training
    settings = published.config.training
    optimizer = build_optimizer(settings, network, architecture.weight_rule)
    features = torch.from_numpy(arrays["features"]) if published.name == "thumos14" else published.features
    for step in range(3):
        one = with_stored_overlaps(published, criterion_of(published))
        one.draw = partial(next_of, drawing(published, step))
        (loss,) = one.losses([published.truth()], CPU)
        parts = loss(network(features, published.valid))
        expected = arrays["losses"][step].copy()
        if published.name == "thumos14":
            expected[2] *= 10  # stored without its weight
        close([parts[name].item() for name in names[published.name]], expected[:3], 1e-5)
        total = torch.stack(list(parts.values())).sum()
        close(total.item(), expected[3], 1e-5)
        optimizer.zero_grad()
        total.backward()
        if step == 0:
            check_gradients(published)
        close(clip_gradients(network.parameters(), settings.gradient_clip), arrays["grad_norms"][step], GRADIENTS)
        optimizer.step()
    stored = {
        name.removeprefix("after."): torch.from_numpy(arrays[name]) for name in arrays if name.startswith("after.")
    }
    after = published.repository.prepare(stored)
    for name, parameter in network.named_parameters():
        weight = after.get(published.repository.published_name(name))
        assert weight is not None or not after
        if weight is not None:
            close(parameter.detach(), from_published_shape(weight, parameter), GRADIENTS)


def check_gradients(published: Published) -> None:
    parameters, outer = dict(published.network.named_parameters()), ("map.overlap.", "map.classes.")
    for name, parameter in parameters.items():
        assert parameter.grad is not None
        if not name.startswith(outer):
            expected = published.training[f"grad_norm.{published.repository.published_name(name)}"]
            close(parameter.grad.norm(), expected, GRADIENTS)
    for kind in ("weight", "bias"):
        both = [parameters[one + kind].grad for one in outer]
        norm = torch.stack([one.norm() for one in both if one is not None]).norm()
        close(norm, published.training[f"grad_norm.{LAST[published.name]}.{kind}"], GRADIENTS)


def candidates(published: Published) -> list[Candidates]:
    decoder = published.architecture.decoder()
    decoder.add(published.outputs())
    return decoder.candidates()


def test_opentads_detections_of_windows(published: Published) -> None:
    """From features to seconds; segments are rounded to 0.01 s and scores to 0.0001."""
    if published.name != "opentad":
        pytest.skip("the authors' are of a whole video")
    for window, found in enumerate(candidates(published)):
        kept = suppress(found.segments, found.scores, found.labels, published.config.suppression)
        seconds = ((kept.segments * 4 + 8 + 48 * window) / 25).clip(0, 40)
        segments, scores = (published.inference[f"{window}.{one}"] for one in ("segments", "scores"))
        assert len(seconds) == len(scores)
        order = np.abs(seconds[:, None] - segments).max(-1).argmin(1)
        assert sorted(order.tolist()) == list(range(len(scores)))
        close(seconds, segments[order], 0.0051)
        close(kept.scores, scores[order], 5.1e-5)


def test_the_authors_candidates_and_detections_of_a_video(published: Published) -> None:
    """What windows keep is suppressed again, all together; every proposal gets the two best classes of its video."""
    if published.name != "thumos14":
        pytest.skip("OpenTAD's are of windows")
    rule, parts = published.config.suppression, []
    for window, found in enumerate(candidates(published)[:2]):
        first = int(published.inference[f"{window}.first_frame"])
        stored = published.inference[f"{window}.candidates"]
        own = np.c_[(found.segments.numpy() + 0.5) * 5 + first, found.scores.numpy()]
        expected = np.c_[stored[:, :2], stored[:, 2] * stored[:, 3]]
        close(own[np.lexsort(own.T[1::-1])], expected[np.lexsort(expected.T[1::-1])])
        parts.append(suppressed(found._replace(segments=torch.from_numpy(own[:, :2])), rule))
    together = Candidates.joined(parts)
    kept = suppress(together.segments, together.scores, together.labels, rule)
    detections, classes = published.inference["detections"], published.inference["video_class_scores"]
    best = int(classes.argmax())
    mine = detections[detections[:, 3] == best]
    assert len(kept.scores) == len(mine) == 200
    order, theirs = np.argsort(-kept.scores, kind="stable"), mine[np.argsort(-mine[:, 2], kind="stable")]
    close(kept.scores[order] * classes[best], theirs[:, 2])
    seconds = kept.segments[order] / 25
    assert np.abs(seconds - theirs[:, :2]).max() < 0.0501


def test_a_checkpoint_becomes_a_model_that_detects(small: Path, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(toml_of("opentad"), "utf-8")
    detector = convert(tmp_path / "settings.toml", small / "gtad" / "opentad.pth", tmp_path / "model")
    features = np.random.default_rng(0).standard_normal((75, 20)).astype(np.float32)
    found = detector.detect(features, fps=25.0)
    assert 0 < len(found) <= 200
    assert found.segments.max() <= 75 * 4 / 25 + 1
