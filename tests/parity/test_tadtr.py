"""TadTR against the published implementation's numbers: every stage, matching, losses, gradients, steps, joining.

The case in `tests/data` is always run, those beside the checkout where they are.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from published import without_chance
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from actionformer.detectors.base import architecture_of
from actionformer.detectors.tadtr.architecture import TadTR
from actionformer.detectors.tadtr.criterion import Actions, TadTRCriterion, layer_losses, pairs_of
from actionformer.detectors.tadtr.network import Outputs, TadTRNetwork
from actionformer.detectors.tadtr.transformer import DecoderLayer, EncoderLayer
from actionformer.inference.settings import SuppressionSettings
from actionformer.inference.windows import thinned
from actionformer.interop.convert import read_published
from actionformer.interop.published_weights import load_published_weights
from actionformer.interop.tadtr import TADTR
from actionformer.nn.decoding import Candidates
from actionformer.nn.roi_align import roi_align
from actionformer.training.optimisation import build_optimizer, clip_gradients, set_learning_rate

STAGES = 2e-5
"""The largest difference of a stage that an independent implementation had is 1.4e-5."""
STEPS = 32


class Published(NamedTuple):
    architecture: TadTR
    network: TadTRNetwork


@pytest.fixture
def published(small: Path) -> Published:
    return load(small / "tadtr")


def load(folder: Path) -> Published:
    repository, config, weights = read_published(folder / "config.yml", folder / "checkpoint.pth")
    assert repository is TADTR
    architecture = architecture_of(config.replace(model={"actionness_target": "batch"}))
    assert isinstance(architecture, TadTR)
    network = architecture.network()
    load_published_weights(network, weights, str(folder), repository)
    return Published(architecture, network)


@dataclass
class Case:
    """One of the stored batches of three windows."""

    arrays: NpzFile
    name: str

    def __getitem__(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[f"{self.name}.{name}"])

    @property
    def valid(self) -> Tensor | None:
        valid = ~self["mask"]
        return None if valid.all() else valid


@pytest.fixture(params=["stored", "full", "padded"])
def case(request: pytest.FixtureRequest, small: Path) -> Iterator[Case]:
    if request.param == "stored":
        folder, name = small / "tadtr", "padded"
    else:
        folder, name = request.getfixturevalue("shared") / "parity" / "family" / "tadtr", request.param
    with np.load(folder / "inference.npz") as arrays:
        yield Case(arrays, name)


def close(found: Tensor, expected: Tensor, atol: float = STAGES) -> None:
    torch.testing.assert_close(found, expected, atol=atol, rtol=0)


@torch.no_grad()
def test_stages(published: Published, case: Case) -> None:
    network, features, valid = published.network.eval(), case["features"], case.valid
    lengths = (~case["mask"]).sum(1).float()
    projected = network.project(features, valid)
    close(projected, case["projected"])
    position = network.position(projected, lengths, valid)
    close((position - network.level).expand_as(projected), case["position"])
    here = ((torch.arange(STEPS) + 0.5) / lengths[:, None])[..., None]
    encoder, decoder = network.encoder[0], network.decoder[1]
    assert isinstance(encoder, EncoderLayer)
    assert isinstance(decoder, DecoderLayer)
    attention, query = encoder.attention, projected + position
    close(attention.places(query, here, lengths).transpose(1, 2) / STEPS, case["encoder0.locations"])
    close(attention.shares(query).transpose(1, 2), case["encoder0.weights"])
    close(attention(query, projected, here, lengths, valid), case["encoder0.attention"])
    memory = network.encode(features, lengths, valid)
    close(memory, case["memory"])
    seen: list[tuple[Tensor, ...]] = []
    cross = decoder.attention
    cross.register_forward_hook(lambda module, inputs, output: seen.append((*inputs, output)))
    logits, segments = network.decode(memory, lengths, valid)
    query, _, reference, _, _, output = seen[0]
    close(cross.places(query, reference, lengths).transpose(1, 2) / STEPS, case["decoder1.locations"])
    close(cross.shares(query).transpose(1, 2), case["decoder1.weights"])
    close(output, case["decoder1.attention"])
    close(logits, case["logits"])
    close(segments, case["centre_width"])
    spans = torch.full((3,), float(STEPS))
    regions = network.regions(segments[-1], spans)
    close(regions.flatten(0, 1), case["rois"][:, 1:], atol=1e-4)  # in steps
    if case.name + ".roi_features" in case.arrays:
        published_regions = case["rois"][:, 1:].reshape(regions.shape)  # or what theirs differ by would count twice
        bins = roi_align(memory, published_regions, bins=16, longest=STEPS)
        close(bins.flatten(0, 1).transpose(1, 2), case["roi_features"])
    close(network.judge(memory, segments[-1], spans), case["actionness"][..., 0])


@torch.no_grad()
def test_detections(published: Published, case: Case) -> None:
    decoder = published.architecture.decoder()
    decoder.add(published.network.eval()(case["features"], case.valid))
    assert decoder.left_out() == [(0.0, 0)] * 3
    for row, found in enumerate(decoder.candidates()):
        seconds = (found.segments + 0.5) / STEPS * case["window_seconds"][row]
        order = np.lexsort((seconds[:, 0], found.labels))
        own = [case[f"{row}.{name}"] for name in ("segments", "scores", "labels")]
        theirs = np.lexsort((own[0][:, 0], own[2]))
        assert found.labels[order].tolist() == own[2][theirs].tolist()
        np.testing.assert_allclose(seconds[order], own[0][theirs], atol=1e-4)
        np.testing.assert_allclose(found.scores[order], own[1][theirs], atol=1e-5)


def actions(arrays: NpzFile) -> Actions:
    segments, labels = (
        pad_sequence([torch.from_numpy(arrays[f"{row}.{name}"]) for row in range(3)], batch_first=True)
        for name in ("centre_width", "labels")
    )
    return Actions(segments, labels, torch.arange(6) < torch.tensor([[6], [4], [3]]))


def test_training(published: Published, shared: Path) -> None:
    folder = shared / "parity" / "family" / "tadtr"
    expected = json.loads((folder / "cases.json").read_text())
    architecture, network = published.architecture, published.network.train()
    without_chance(network)
    for module in network.modules():
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    criterion = architecture.criterion()
    training = architecture.config.training.model_copy(update={"learning_rate": expected["base_learning_rate"]})
    optimizer = build_optimizer(training, network, architecture.weight_rule)
    set_learning_rate(optimizer, training.learning_rate)
    with np.load(folder / "training.npz") as arrays:
        truth = actions(arrays)
        for step in range(3):
            outputs = network(torch.from_numpy(arrays["features"]), torch.from_numpy(~arrays["mask"]))
            check_pairs(outputs, truth, arrays, step)
            losses, total = losses_of(criterion, outputs, truth)
            wanted = dict(zip(expected["loss_names"], arrays["losses"][step], strict=True))
            assert losses == pytest.approx(wanted, abs=2e-6)
            optimizer.zero_grad()
            total.backward()
            if step == 0:
                check_gradients(network, arrays)
            norm = clip_gradients(network.parameters(), expected["clip"])
            assert norm.item() == pytest.approx(expected["grad_norms"][step], rel=1e-5)
            optimizer.step()
        for name, weight in network.named_parameters():
            after = torch.from_numpy(arrays[f"after.{TADTR.published_name(name)}"])
            torch.testing.assert_close(weight.detach(), after.view_as(weight), atol=3e-5, rtol=0)


def check_pairs(outputs: Outputs, truth: Actions, arrays: NpzFile, step: int) -> None:
    pairs = pairs_of(outputs, truth)
    for layer in range(3):
        for row in range(3):
            own = (pairs.layer == layer) & (pairs.sequence == row)
            theirs = (arrays[f"step{step}.layer{layer}.{row}.{name}"].tolist() for name in ("query", "action"))
            assert set(zip(pairs.query[own].tolist(), pairs.action[own].tolist(), strict=True)) == set(
                zip(*theirs, strict=True)
            )


def losses_of(criterion: TadTRCriterion, outputs: Outputs, truth: Actions) -> tuple[dict[str, float], Tensor]:
    """Under the published names, and what a step minimises."""
    layers = layer_losses(outputs, truth, pairs_of(outputs, truth), 13)
    found = {"loss_actionness": criterion.actionness_loss(outputs, truth, 36).item()}
    for layer, suffix in enumerate(("_0", "_1", "")):
        found |= {
            f"loss_ce{suffix}": layers.classification[layer].item(),
            f"loss_segments{suffix}": layers.segment[layer].item(),
            f"loss_iou{suffix}": layers.iou[layer].item(),
        }
    total = torch.stack(list(criterion.parts(truth, 13, 36, outputs).values())).sum()
    return found | {"total": total.item()}, total


def check_gradients(network: TadTRNetwork, arrays: NpzFile) -> None:
    for name, weight in network.named_parameters():
        assert weight.grad is not None
        wanted = float(arrays[f"grad_norm.{TADTR.published_name(name)}"])
        assert weight.grad.norm().item() == pytest.approx(wanted, rel=1e-4, abs=1e-6), name


def test_joining(small: Path) -> None:
    """160 detections of four windows; of the 130 that published code keeps, one is there twice."""
    with np.load(small / "tadtr" / "joining.npz") as arrays:
        windows, detections, kept = arrays["windows"], arrays["detections"], arrays["kept"]
    step = 0.32  # seconds
    rows = [range(*np.rint(window / step).astype(int).tolist()) for window in windows]
    assert [row.stop - row.start for row in rows] == [128] * 4
    parts = []
    for number in range(4):
        start, end, score, label, _ = torch.from_numpy(detections[detections[:, 4] == number]).unbind(1)
        zeros = torch.zeros(len(score), dtype=torch.int64)
        segments = torch.stack((start, end), dim=1) / step - 0.5
        parts.append(Candidates(segments, score.float(), label.long(), zeros, zeros))
    found = thinned(rows, parts, SuppressionSettings(method="none", window_tiou=0.4))
    own = np.column_stack(((found.segments + 0.5) * step, found.scores, found.labels))
    expected = np.unique(np.round(kept, 4), axis=0)
    assert len(own) == len(expected) == 129
    np.testing.assert_allclose(own[np.lexsort(own.T[::-1].round(4))], expected, atol=2e-4)
