"""Actions that nothing is proposed for."""

from dataclasses import replace

import numpy as np
import pytest
from featured import featured

from actionformer.checks.proposals import check_proposals
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import FeaturedVideo

SECOND = TimeGrid(fps=30, stride=30, num_frames=30)


def proposed(*segments: list[list[float]]) -> list[FeaturedVideo]:
    """Videos with actions at [10, 20], [30, 40] and [60, 62], and these proposals."""
    videos = featured([[[10, 20], [30, 40], [60, 62]]] * len(segments), length=100, grid=SECOND)
    return [
        replace(video, proposals=np.array(one, float).reshape(-1, 2))
        for video, one in zip(videos, segments, strict=True)
    ]


def test_by_hand() -> None:
    """[12, 20] overlaps the first action by 8 of 10, [35, 45] the second by 5 of 15, [60, 64] the third by half."""
    (finding,) = check_proposals(proposed([[12, 20], [35, 45], [60, 64]]))
    assert str(finding) == (
        "1 of 3 actions has no proposal with a tIoU of 0.5; what nobody proposes is not found: give more proposals, or "
        "those of a better model"
    )
    assert finding.severity == "warning"


@pytest.mark.parametrize("segments", [[[0, 5]], []])
def test_none_that_is_proposed(segments: list[list[float]]) -> None:
    (finding,) = check_proposals(proposed(segments, segments))
    assert (finding.count, finding.total, finding.severity) == (6, 6, "error")


def test_nothing_to_say() -> None:
    every = [[10.0, 20.0], [30.0, 40.0], [60.0, 62.0]]
    assert check_proposals(proposed(every, every[:2])) == []  # one of six
    assert check_proposals([replace(one, proposals=None) for one in proposed([])]) == []
    assert check_proposals([]) == []
