"""Actions that no window shows enough of."""

from featured import featured

from actionformer.checks.windows import check_windows
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import Collection
from actionformer.settings.config import Config

SECOND = TimeGrid(fps=30, stride=30, num_frames=30)


def test_long_actions_in_short_windows() -> None:
    videos = Collection(featured([[[10, 90], [5, 8]], [[10, 15]]], length=100, grid=SECOND), [])
    (finding,) = check_windows(videos, Config().replace(data={"window": 40}))
    assert str(finding) == (
        "1 of 3 actions lies in no window of 40 features by data.min_overlap of their length, the longest has 80; "
        "raise data.window or data.train_overlap, or take features further apart"
    )
    assert finding.severity == "warning"
    assert check_windows(videos, Config().replace(data={"window": 90})) == []
    assert check_windows(videos, Config()) == []


def test_none_in_any_window() -> None:
    videos = Collection(featured([[[10, 90]]], length=100, grid=SECOND), [])
    (finding,) = check_windows(videos, Config().replace(data={"window": 16}))
    assert finding.severity == "error"
