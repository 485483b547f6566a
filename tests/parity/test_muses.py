"""MUSES against the published implementation's numbers: every stage, targets, losses, gradients, steps, detections."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from published import without_chance
from torch import Tensor

from actionformer import convert
from actionformer.detectors.base import architecture_of
from actionformer.detectors.muses.architecture import MUSES
from actionformer.detectors.muses.drawing import FOREGROUND, INCOMPLETE, DrawnTruth, Examples, matched, shifts_to
from actionformer.detectors.muses.network import MUSESNetwork, Outputs, Stream
from actionformer.detectors.muses.regions import region_maxima
from actionformer.inference.suppression import suppress
from actionformer.interop.convert import read_published
from actionformer.interop.muses import MUSES as REPOSITORY
from actionformer.interop.published_weights import from_published_shape, load_published_weights
from actionformer.nn.assignment import GroundTruth
from actionformer.training.optimisation import build_optimizer, clip_gradients, set_learning_rate

STAGES, LOSSES, WEIGHTS = 5e-6, 3e-6, 2e-7
FRAMES = 8
"""Of a feature."""
SETTINGS = """
preset = "muses_thumos14_i3d"
[model]
input_dim = 16
num_classes = 4
first_width = 12
width = 16
head_width = 24
[decoding]
top_k = 100
"""


def in_steps(frames: Tensor) -> Tensor:
    return (frames / FRAMES - 0.5).float()


@dataclass
class Published:
    architecture: MUSES
    network: MUSESNetwork
    inference: NpzFile
    training: NpzFile

    @property
    def stream(self) -> Stream:
        (stream,) = self.network.streams
        assert isinstance(stream, Stream)
        return stream

    def array(self, name: str) -> Tensor:
        return torch.from_numpy(self.inference[name])

    def proposals(self, video: int) -> Tensor:
        return in_steps(self.array(f"{video}.proposals")[:, 3:])

    def actions(self, video: int) -> Tensor:
        return in_steps(self.array(f"{video}.actions")[:, 1:])

    def labels(self, video: int) -> Tensor:
        return self.array(f"{video}.actions")[:, 0].long() - 1

    def frames(self, video: int) -> Tensor:
        return self.array(f"{video}.frames")[None]

    def outputs(self, video: int) -> Outputs:
        features = self.array(f"{video}.features")[None]
        outputs: Outputs = self.network(features, None, [self.proposals(video)], self.frames(video))
        return outputs

    def drawn(self, video: int) -> DrawnTruth:
        """The eight proposals that were drawn there; published starts are a frame late by then."""
        arrays = {name: torch.from_numpy(self.training[f"{video}.{name}"]) for name in ("rois", "type")}
        proposals = in_steps(arrays["rois"][:, :2] - torch.tensor([1, 0]))
        found = matched(proposals, self.actions(video))
        kinds, places = arrays["type"], torch.tensor([FOREGROUND, *[INCOMPLETE] * 6, 2])
        shifts = shifts_to(self.actions(video)[found.action], proposals, 1 / FRAMES)
        shifts[kinds != FOREGROUND] = 0
        labels = torch.where(kinds == 2, 0, 1 + self.labels(video)[found.action])
        examples = Examples(proposals, places, kinds, labels, shifts.float())
        length = len(self.inference[f"{video}.features"])
        return DrawnTruth(
            [self.actions(video)], [self.labels(video)], [length], length, proposals=[proposals], examples=[examples]
        )


@pytest.fixture
def published(small: Path, tmp_path: Path) -> Iterator[Published]:
    folder = small / "muses"
    (tmp_path / "settings.toml").write_text(SETTINGS, "utf-8")
    repository, config, weights = read_published(tmp_path / "settings.toml", folder / "checkpoint.pth.tar")
    assert repository is REPOSITORY
    architecture = architecture_of(config)
    assert isinstance(architecture, MUSES)
    network = architecture.network()
    load_published_weights(network, weights, str(folder), repository)
    with np.load(folder / "inference.npz") as inference, np.load(folder / "training.npz") as training:
        yield Published(architecture, network.eval(), inference, training)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=STAGES, rtol=0)


@pytest.mark.parametrize("video", [0, 1])
@torch.no_grad()
def test_stages(published: Published, video: int) -> None:
    features, stream = published.array(f"{video}.features")[None], published.stream
    close(stream.layers[0](features)[0], published.array(f"{video}.layer0"))
    aggregated = stream.aggregated(features, None)
    close(aggregated[0], published.array(f"{video}.backbone"))
    lengths = torch.tensor([features.shape[1]])
    regions = published.network.regions(published.proposals(video)[None], lengths, published.frames(video))
    ticks = published.array(f"{video}.ticks")[:, 2:] + torch.tensor([0, 1])
    assert torch.equal(regions[0], ticks / FRAMES)
    pooled = region_maxima(aggregated, regions, lengths, 8)
    close(pooled[0].transpose(1, 2), published.array(f"{video}.pooled"))
    said = published.outputs(video).judged
    close(said.activity[0, 0], published.array(f"{video}.activity"))
    close(said.completeness[0, 0], published.array(f"{video}.completeness"))
    close(said.shifts[0, 0].flatten(1), published.array(f"{video}.regression"))


@pytest.mark.parametrize("video", [0, 1])
def test_what_is_known_of_proposals(published: Published, video: int) -> None:
    """The files are rounded to four digits; a proposal that meets no action has the class 0 there."""
    known = published.array(f"{video}.proposals")
    found = matched(published.proposals(video), published.actions(video))
    np.testing.assert_allclose(found.tiou, known[:, 1], atol=5.1e-5)
    np.testing.assert_allclose(found.share, known[:, 2], atol=5.1e-5)
    label = torch.where(found.tiou > 0, 1 + published.labels(video)[found.action], 0)
    assert label.tolist() == known[:, 0].tolist()


def test_statistics_of_the_proposals_that_fit(published: Published) -> None:
    network = published.architecture.network()
    truth = GroundTruth(
        [published.actions(video) for video in (0, 1)],
        [published.labels(video) for video in (0, 1)],
        lengths=[59, 74],
        padded_length=74,
        proposals=[published.proposals(0), published.proposals(1)],
    )
    published.architecture.keep_statistics(network, truth)
    (fresh,) = network.streams
    assert isinstance(fresh, Stream)
    for found in (fresh, published.stream):
        torch.testing.assert_close(torch.stack((found.mean, found.deviation)).double(), published.array("reg_stats"))


@pytest.mark.parametrize("video", [0, 1])
@torch.no_grad()
def test_detections(published: Published, video: int) -> None:
    config = published.architecture.config
    decoder = published.architecture.decoder()
    decoder.add(published.outputs(video))
    (found,) = decoder.candidates()
    assert len(found.scores) == config.decoding.top_k
    kept = suppress(found.segments, found.scores, found.labels, config.suppression, reported=found.refined)
    expected = published.inference[f"{video}.detections"]
    shares = ((kept.segments + 0.5) * FRAMES / int(published.frames(video))).clip(0, 1)
    assert len(shares) == len(expected)
    own, theirs = np.lexsort((-kept.scores, kept.labels)), np.lexsort((-expected[:, 2], expected[:, 3]))
    assert kept.labels[own].tolist() == expected[theirs, 3].tolist()
    np.testing.assert_allclose(kept.scores[own], expected[theirs, 2], rtol=STAGES)
    np.testing.assert_allclose(shares[own], expected[theirs, :2], atol=1e-6)


@pytest.mark.parametrize("video", [0, 1])
def test_a_converted_model_detects_the_same(published: Published, small: Path, tmp_path: Path, video: int) -> None:
    """From outside, in seconds: of a film, whose frames a second are no whole number."""
    detector = convert(tmp_path / "settings.toml", small / "muses" / "checkpoint.pth.tar", tmp_path / "model")
    fps, frames = 29.97, int(published.frames(video))
    proposals = published.inference[f"{video}.proposals"][:, 3:] / fps
    features = published.inference[f"{video}.features"]
    found = detector.detect(features, fps=fps, duration=frames / fps, proposals=proposals)
    expected = published.inference[f"{video}.detections"]
    assert len(found) == len(expected)
    own, theirs = np.lexsort((-found.scores, found.labels)), np.lexsort((-expected[:, 2], expected[:, 3]))
    assert found.labels[own].tolist() == expected[theirs, 3].tolist()
    np.testing.assert_allclose(found.scores[own], expected[theirs, 2], rtol=STAGES)
    np.testing.assert_allclose(found.segments[own] * fps / frames, expected[theirs, :2], atol=1e-6)


def test_training(published: Published) -> None:
    """Two videos, one after the other, whose gradients are averaged; dropout is off."""
    architecture, arrays = published.architecture, published.training
    network = published.network.train()
    without_chance(network)
    criterion, training = architecture.criterion(), architecture.config.training
    optimizer = build_optimizer(training, network, architecture.weight_rule)
    set_learning_rate(optimizer, training.learning_rate)
    truths = [published.drawn(video) for video in (0, 1)]
    for video, truth in enumerate(truths):
        (examples,) = truth.examples
        assert examples.labels.tolist() == arrays[f"{video}.labels"].tolist()
        standard = (examples.shifts - published.stream.mean) / published.stream.deviation
        wanted = torch.from_numpy(arrays[f"{video}.reg_targets"])
        torch.testing.assert_close(standard[examples.kinds == 0], wanted[examples.kinds == 0])
        regions = network.regions(truth.proposals[0][None], torch.tensor(truth.lengths), published.frames(video))
        ticks = torch.from_numpy(arrays[f"{video}.rois"])[:, 2:] + torch.tensor([0, 1])
        assert torch.equal(regions[0], ticks / FRAMES)
    for step in range(3):
        optimizer.zero_grad()
        sums = np.zeros(4)
        for video, loss in enumerate(criterion.losses(truths, torch.device("cpu"))):
            features = published.array(f"{video}.features")[None]
            parts = loss(network(features, None, truths[video].proposals, published.frames(video)))
            assert tuple(parts) == ("activity", "completeness", "refinement")
            total = torch.stack(list(parts.values())).sum()
            total.backward()
            found = [*(part.item() for part in parts.values()), total.item()]
            found[1], found[2] = found[1] / 0.5, found[2] / 0.5  # stored without their weight
            sums += found
            if step == 0:
                np.testing.assert_allclose(2 * np.array(found), arrays["losses_by_video"][video], rtol=LOSSES)
        np.testing.assert_allclose(sums, arrays["losses"][step], rtol=LOSSES)
        if step == 0:
            check_gradients(network, arrays)
        norm = clip_gradients(network.parameters(), training.gradient_clip)
        assert norm.item() == pytest.approx(float(arrays["grad_norms"][step]), rel=1e-5)
        optimizer.step()
    after = REPOSITORY.prepare({name[6:]: torch.from_numpy(arrays[name]) for name in arrays if "after." in name})
    for name, weight in network.named_parameters():
        stored = after[REPOSITORY.published_name(name).removeprefix("streams.0.")]
        torch.testing.assert_close(weight.detach(), from_published_shape(stored, weight), atol=WEIGHTS, rtol=1e-6)


def check_gradients(network: MUSESNetwork, arrays: NpzFile) -> None:
    """The rows of background and classes, and of centres and lengths, are in one weight there."""
    squares: dict[str, float] = {}
    for name, weight in network.named_parameters():
        assert weight.grad is not None
        stored = REPOSITORY.published_name(name).removeprefix("streams.0.")
        for part in ("background", "classes", "centre", "length"):
            stored = stored.replace(f".{part}.", ".")
        squares[stored] = squares.get(stored, 0.0) + weight.grad.square().sum().item()
    for name, square in squares.items():
        assert square**0.5 == pytest.approx(float(arrays[f"grad_norm.{name}"]), rel=1e-5), name
