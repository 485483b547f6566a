"""G-TAD's checkpoints: which branch they are of, and how their weights are cut."""

import pytest
import torch

from actionformer.interop.gtad import ACTIVITYNET, OPENTAD, THUMOS14
from actionformer.interop.index import repository_with
from actionformer.interop.repository import Repository


@pytest.mark.parametrize(("kernel", "expected"), [(3, THUMOS14), (1, ACTIVITYNET), (5, None)])
def test_the_kernel_of_the_map_tells_the_authors_branches_apart(kernel: int, expected: Repository | None) -> None:
    weights = {
        "backbone1.2.tconvs.0.weight": torch.zeros(4, 8, 1),
        "localization.4.weight": torch.zeros(4, 4, kernel, kernel),
    }
    assert repository_with(weights) is expected


def test_bins_of_a_channel_lie_together() -> None:
    """The first map of 2 channels in 3 bins, channel after channel; the last one's outputs are overlap and class."""
    weights = {
        "localization.0.weight": torch.arange(6.0).view(1, 6, 1, 1),
        "backbone2.0.tconvs.4.weight": torch.zeros(2, 1, 1),
        "localization.8.bias": torch.tensor([1.0, 2.0]),
    }
    prepared = THUMOS14.prepare(weights)
    assert prepared["localization.0.weight"].tolist() == [[[0, 1, 2], [3, 4, 5]]]
    assert prepared["localization.8.overlap.bias"].item() == 1
    last = {"roi_head.proposal_head.head.3.bias": torch.tensor([1.0, 2.0])}
    assert OPENTAD.prepare(last)["roi_head.proposal_head.head.3.classes.bias"].item() == 1
