"""What a fresh network is told of the training videos."""

import numpy as np
import pytest
import torch

from actionformer.core.segments import TimeGrid
from actionformer.data.dataset import TrainingVideo
from actionformer.detectors import index
from actionformer.features import Features
from actionformer.model_directory import ModelCard
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.network import Network
from actionformer.recipes.start import initial_model
from actionformer.settings.config import Config

GRID = TimeGrid(fps=1, stride=1, num_frames=1)


@pytest.mark.parametrize(("resize", "lengths"), [(None, [20, 30]), (16, [16, 16])])
def test_a_second_stage_may_keep_what_all_actions_and_proposals_tell(
    monkeypatch: pytest.MonkeyPatch, resize: int | None, lengths: list[int]
) -> None:
    monkeypatch.setitem(index.SETTINGS, "judging", "judging.JudgingSettings")
    monkeypatch.setitem(index.ARCHITECTURES, "judging", "judging.Judging")
    seen: list[tuple[Network, GroundTruth]] = []
    monkeypatch.setattr("judging.Judging.keep_statistics", lambda self, *told: seen.append(told))
    config = Config().replace(
        model={"detector": "judging", "input_dim": 3, "num_classes": 2}, data={"resize": resize, "crop_ratio": [1, 1]}
    )
    videos = [
        TrainingVideo(
            name,
            Features((), (length, 3)),
            GRID,
            np.array([[2.0, 5.0]], np.float32),
            np.array([1]),
            proposals=np.array([[2.0, 4.0], [0.0, 9.0]], np.float32),
        )
        for name, length in (("a", 20), ("b", 30))
    ]
    model = initial_model(config, ModelCard(("one", "two")), videos, None, None)
    ((told, truth),) = seen
    assert told is model
    assert truth.lengths == lengths
    assert truth.padded_length == max(lengths)
    assert torch.equal(truth.proposals[1], torch.tensor([[2.0, 4], [0, 9]]))
    assert [labels.tolist() for labels in truth.labels] == [[1], [1]]
