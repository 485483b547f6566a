"""Whether classes of videos say anything of actions."""

from typing import Any

import numpy as np
import pytest

from actionformer.checks import check_video_classes
from actionformer.core.annotations import AnnotatedVideo


def video(*labels: int) -> Any:
    segments = np.tile([0.0, 1.0], (len(labels), 1))
    return AnnotatedVideo(
        id="a", subset="training", duration=9.0, fps=None, segments=segments, labels=np.array(labels, int)
    )


@pytest.mark.parametrize(
    ("videos", "said"),
    [
        ([(0,), (1, 1), (2, 0), ()], None),
        ([(0, 0), (0,)], None),
        ([(0, 1, 2), (0, 1, 2, 2), (2, 1), ()], "2 of 3 videos have all 3 classes, the mean video 89% of them"),
        ([(0, 1, 2), (0,), (3,), (4,), ()], "1 of 4 videos has more classes than the 2 of fusion.classes_per_video"),
    ],
)
def test_it_says_how_many_videos_have_too_many_classes(videos: list[tuple[int, ...]], said: str | None) -> None:
    found = check_video_classes([video(*labels) for labels in videos], 2)
    assert (str(found[0]) if found else "").startswith(said or "")
    assert bool(found) == (said is not None)
