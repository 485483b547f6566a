"""What is TemporalMaxer's own in training, against the published implementation's numbers: targets, the shared norm.

Every stage, losses, gradients and weights: test_stages.py and test_training.py.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published import cases, load

from actionformer.data.dataset import Collate, Sample
from actionformer.detectors.pyramid import PyramidCriterion
from actionformer.detectors.temporalmaxer.criterion import surroundings, with_cheapest
from actionformer.inference.detector import Detector
from actionformer.model_directory import ModelCard
from actionformer.nn.assignment import GroundTruth, assign_batch
from actionformer.nn.points import level_lengths, moments
from actionformer.nn.settings import PyramidSettings

FOLDERS = ["thumos", "epic"]


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest, shared: Path) -> Path:
    return shared / "parity" / "family" / "temporalmaxer" / str(request.param)


def test_which_actions_are_assigned_and_whose_offsets_are_learned(folder: Path) -> None:
    _, architecture, network = load(folder)
    settings = architecture.config.model
    assert isinstance(settings, PyramidSettings)
    with np.load(folder / "training.npz") as arrays:
        samples = [
            Sample(
                features=torch.from_numpy(arrays[f"{row}.features"]),
                segments=torch.from_numpy(arrays[f"{row}.segments_grid"]),
                labels=torch.from_numpy(arrays[f"{row}.labels"]),
            )
            for row in (0, 1)
        ]
        batch = Collate(settings.max_length)(samples)
        truth = GroundTruth(batch.segments, batch.labels, batch.lengths, settings.max_length)
        targets = PyramidCriterion(architecture.config).targets(truth)
        outputs = network.train()(batch.features, batch.valid)
        chosen = with_cheapest(targets, surroundings(truth, targets, settings.strides), outputs)
        levels = level_lengths(settings.max_length, settings.strides)
        position = torch.cat(moments(levels, settings.strides))
        stride = torch.tensor(settings.strides).repeat_interleave(torch.tensor(levels))
        for row, segments in enumerate(truth.segments):
            numbered = assign_batch(
                [segments], [torch.arange(len(segments))], [batch.lengths[row]], padded_length=settings.max_length,
                strides=settings.strides, ranges=settings.regression_ranges, num_classes=len(segments),
                center_radius=1.5,
            )  # fmt: skip
            np.testing.assert_array_equal(numbered.classes[0].bool(), arrays[f"{row}.assigned"].astype(bool))
            np.testing.assert_array_equal(targets.classes[row], arrays[f"{row}.target_classes"])
            positive = targets.positive[row]
            start, end = segments[torch.from_numpy(arrays[f"{row}.offset_action"]).long()[positive]].unbind(1)
            own, step = position[positive], stride[positive]
            wanted = torch.stack((own - start, end - own), dim=1) / step[:, None]
            np.testing.assert_array_equal(chosen.offsets[row][positive], wanted)
            np.testing.assert_array_equal(chosen.offsets[row][positive], arrays[f"{row}.target_offsets"][positive])


def test_detections(folder: Path) -> None:
    """As sets, paired by label and segment: suppression amplifies the last digit, so 1% may have no partner."""
    _, architecture, network = load(folder)
    config = architecture.config
    names = tuple(map(str, range(config.model.num_classes or 0)))
    detector = Detector(network, config, ModelCard(names))
    with np.load(folder / "inference.npz") as arrays:
        for case in cases(folder):
            timing: dict[str, Any] = dict(case.timing)
            found = detector.detect(arrays[f"{case.number}.features"], **timing)
            segments, scores, labels = (arrays[f"{case.number}.{name}"] for name in ("segments", "scores", "labels"))
            assert len(found) == len(scores)
            same = (found.labels[:, None] == labels) & (np.abs(found.segments[:, None] - segments).max(-1) < 1e-3)
            same &= np.abs(found.scores[:, None] - scores) < 1e-4
            assert same.any(1).mean() >= 0.99
            assert same.any(0).mean() >= 0.99
