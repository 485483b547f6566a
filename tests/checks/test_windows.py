"""Actions that no window shows enough of, and windows with more actions than can be found."""

from featured import featured

from actionformer.checks.windows import check_crowded, check_windows
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import Collection
from actionformer.data.windows import training_set
from actionformer.settings.config import Config

SECOND = TimeGrid(fps=30, stride=30, num_frames=30)


def test_long_actions_in_short_windows() -> None:
    videos = Collection(featured([[[10, 90], [5, 8]], [[10, 15]]], length=100, grid=SECOND), [])
    (finding,) = check_windows(videos, Config().replace(data={"window": 40}))
    assert str(finding) == (
        "1 of 3 actions lies in no window of 40 features by data.min_overlap of its length, the longest has 80; "
        "raise data.window or data.train_overlap, or take features further apart"
    )
    assert finding.severity == "warning"
    assert check_windows(videos, Config().replace(data={"window": 90})) == []
    assert check_windows(videos, Config()) == []


def test_none_in_any_window() -> None:
    videos = Collection(featured([[[10, 90]]], length=100, grid=SECOND), [])
    (finding,) = check_windows(videos, Config().replace(data={"window": 16}))
    assert finding.severity == "error"


def test_more_actions_than_can_be_found() -> None:
    videos = featured([[[i, i + 1] for i in range(12)], [[10, 15]]], length=100, grid=SECOND)
    config = Config().replace(model={"detector": "tadtr", "num_queries": 11}, data={"window": 50})
    training = training_set(videos, data=config.data, max_length=50, seed=0)
    (finding,) = check_crowded(training, config)
    assert str(finding) == (
        "1 of 2 windows has more actions than tadtr finds in one, 11: the others are not learned, the fullest has 12; "
        "raise model.num_queries, or lower data.window"
    )
    assert finding.severity == "warning"
    assert check_crowded(training, config.replace(model={"num_queries": 12})) == []
    assert check_crowded(training, Config()) == []
