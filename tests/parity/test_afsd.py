"""AFSD against OpenTAD's numbers: every stage, targets, losses, gradients, weights after some steps, detections.

The case in `tests/data` is always run, its training where the numbers lie beside the checkout.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor

from actionformer.detectors.afsd.architecture import AFSD
from actionformer.detectors.afsd.network import AFSDNetwork, Outputs, moments
from actionformer.detectors.afsd.pooling import boundary_maxima
from actionformer.detectors.base import architecture_of
from actionformer.interop.afsd import AFSD as REPOSITORY
from actionformer.interop.convert import read_published
from actionformer.interop.published_weights import from_published_shape, load_published_weights
from actionformer.nn.assignment import GroundTruth
from actionformer.training.optimisation import build_optimizer, clip_gradients

STAGES, LOSSES, WEIGHTS = 7e-5, 2e-5, 2e-4
"""Differences that an independent implementation had; some levels have few numbers for a norm."""
STEPS, FRAMES = 64, 256
SETTINGS = """
preset = "afsd_thumos14_i3d"
[model]
input_dim = 20
num_classes = 5
width = 64
[decoding]
top_k = 200
[training]
learning_rate = 2e-4
"""
NAMES = ("location", "classification", "center", "refined_location", "refined_classification", "start", "end")
"""Of the parts of our loss, in the order in which theirs are stored."""


@dataclass
class Published:
    architecture: AFSD
    network: AFSDNetwork
    arrays: NpzFile

    def __getitem__(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])

    def outputs(self) -> Outputs:
        outputs: Outputs = self.network(self["features"], self["mask"])
        return outputs

    @property
    def truth(self) -> GroundTruth:
        """Two windows, of which the second one is padded."""
        segments, labels = ([self[f"{row}.{name}"] for row in range(2)] for name in ("segments_grid", "actions"))
        return GroundTruth(segments, labels, self["mask"].sum(1).tolist(), STEPS)


@pytest.fixture
def published(small: Path, tmp_path: Path) -> Iterator[Published]:
    folder = small / "afsd"
    (tmp_path / "settings.toml").write_text(SETTINGS, "utf-8")
    repository, config, weights = read_published(tmp_path / "settings.toml", folder / "checkpoint.pth")
    assert repository is REPOSITORY
    architecture = architecture_of(config)
    assert isinstance(architecture, AFSD)
    network = architecture.network()
    load_published_weights(network, weights, str(folder), repository)
    with np.load(folder / "inference.npz") as arrays:
        yield Published(architecture, network.eval(), arrays)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=STAGES, rtol=0)


@torch.no_grad()
def test_pyramid_and_frame_feature(published: Published) -> None:
    levels, masks = published.network.levels(published["features"], published["mask"])
    for level, (x, mask) in enumerate(zip(levels, masks, strict=True)):
        close(x, published[f"level{level}.pyramid"])
        assert mask is not None
        assert not x[~mask].any()
    close(published.network.frame_feature(levels[0], None)[0], published["frame_feature"])


@torch.no_grad()
def test_heads_regions_and_proposals(published: Published) -> None:
    network = published.network
    levels, _ = network.levels(published["features"], published["mask"])
    frame, _ = network.frame_feature(levels[0], None)
    coarse = [network.coarse(x, level, None) for level, x in enumerate(levels)]
    on_level, on_frames = network.regions([one.distances for one in coarse])
    for level, one in enumerate(coarse):
        name, regions = f"level{level}", on_level[level]
        close(one.location, published[f"{name}.loc_feature"])
        close(one.category, published[f"{name}.conf_feature"])
        assert torch.equal(regions.int(), published[f"{name}.regions"])
        assert torch.equal(on_frames[level].int(), published[f"{name}.frame_regions"])
        around = boundary_maxima(frame, on_frames[level], torch.full((2,), FRAMES))
        lengths = torch.full((2,), levels[level].shape[1])
        proposals, boundary = network.location_proposals(one.location, around, regions, lengths, None)
        close(proposals, published[f"{name}.loc_proposal"])
        close(
            network.category_proposals(one.category, around, regions, lengths, None)[0],
            published[f"{name}.conf_proposal"],
        )
        if level == 0:
            close(boundary_maxima(boundary, regions, lengths), published["level0.pooled"])
            close(around, published["level0.pooled_frame"])


@torch.no_grad()
def test_outputs(published: Published) -> None:
    found = published.outputs()
    close(moments(STEPS, published.architecture.settings) / FRAMES, published["priors"][:, 0])
    close(found.distances, published["loc"])
    close(found.logits, published["conf"])
    close(found.shifts, published["prop_loc"])
    close(found.refined_logits, published["prop_conf"])
    close(found.center, published["center"][..., 0])


@torch.no_grad()
def test_detections(published: Published) -> None:
    """The best 200 of each window, in seconds; the file is rounded to 0.01 s and 0.0001."""
    decoder = published.architecture.decoder()
    decoder.add(published.outputs())
    assert decoder.overflown() == [False, False]
    windows = ((0, 15.3), (192, 21.0))  # first frame, and seconds of the video
    for row, (found, (first, duration)) in enumerate(zip(decoder.candidates(), windows, strict=True)):
        seconds = ((found.segments * 12 + 8 + first) / 25).clamp(0, duration)
        assert found.labels.tolist() == published[f"{row}.labels"].tolist()  # both best first
        np.testing.assert_allclose(seconds, published.arrays[f"{row}.segments"], atol=0.0051)
        np.testing.assert_allclose(found.scores, published.arrays[f"{row}.scores"], atol=5.1e-5)


def test_training(published: Published, shared: Path) -> None:
    folder = shared / "parity" / "family" / "afsd"
    expected = json.loads((folder / "cases.json").read_text())["thumos"]
    architecture, network = published.architecture, published.network.train()
    criterion, training = architecture.criterion(), architecture.config.training
    assert (training.weight_decay, training.gradient_clip) == (expected["weight_decay"], expected["clip"])
    optimizer = build_optimizer(training, network, architecture.weight_rule)
    with np.load(folder / "thumos_training.npz") as arrays:
        for step in range(3):
            outputs = published.outputs()
            if step == 0:
                targets = criterion.targets(published.truth)
                refined = criterion.refined_labels(outputs.distances, targets.labels, targets.distances)
                for row in range(2):
                    assert targets.labels[row].tolist() == arrays[f"{row}.target_class"].tolist()
                    assert refined[row].tolist() == arrays[f"{row}.refined_class"].tolist()
            (loss,) = criterion.losses([published.truth], torch.device("cpu"))
            parts = loss(outputs)
            assert tuple(parts) == NAMES
            total = torch.stack(list(parts.values())).sum()
            found = [*(part.item() for part in parts.values()), total.item()]
            np.testing.assert_allclose(found, arrays["losses"][step], atol=LOSSES, rtol=LOSSES)
            optimizer.zero_grad()
            total.backward()
            if step == 0:
                check_gradients(network, arrays)
            norm = clip_gradients(network.parameters(), training.gradient_clip)
            assert norm.item() == pytest.approx(expected["grad_norms"][step], rel=3e-5)
            optimizer.step()
        after = REPOSITORY.prepare({name[6:]: torch.from_numpy(arrays[name]) for name in arrays if "after." in name})
    for name, weight in network.named_parameters():
        stored = from_published_shape(after[REPOSITORY.published_name(name)], weight)
        torch.testing.assert_close(weight.detach(), stored, atol=WEIGHTS, rtol=0)


def check_gradients(network: AFSDNetwork, arrays: NpzFile) -> None:
    """The heads of background and classes are one there."""
    squares: dict[str, float] = {}
    for name, weight in network.named_parameters():
        assert weight.grad is not None
        stored = REPOSITORY.published_name(name).replace(".background.", ".").replace(".classes.", ".")
        squares[stored] = squares.get(stored, 0.0) + weight.grad.square().sum().item()
    for name, square in squares.items():
        assert square**0.5 == pytest.approx(float(arrays[f"grad_norm.{name}"]), rel=1e-4, abs=2e-6), name
