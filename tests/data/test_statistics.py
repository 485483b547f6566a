"""What one pass over features tells."""

import numpy as np

from actionformer.data.statistics import FeatureStatistics

SCALES = np.array([1, 0.1, 10, 0], np.float32)


def test_statistics_are_those_of_all_rows_together() -> None:
    rng = np.random.default_rng(0)
    arrays = [1000 + rng.standard_normal((length, 4)).astype(np.float32) * SCALES for length in (7, 300, 41)]
    statistics = FeatureStatistics((f"v{i}", array) for i, array in enumerate(arrays))
    mean, deviation = statistics.mean_and_deviation()
    every = np.concatenate(arrays)
    np.testing.assert_allclose(mean, every.mean(0), rtol=1e-6)
    np.testing.assert_allclose(deviation[:3], every.std(0)[:3], rtol=1e-4)
    assert deviation[3] == 1  # a channel that never varies
    assert (statistics.constant, statistics.copies) == ([], [])


def test_each_video_is_read_once() -> None:
    read = []

    class Spy:
        shape = (5, 2)

        def __init__(self, first: float) -> None:
            self.first = first

        def __getitem__(self, rows: slice) -> np.ndarray:
            read.append(rows)
            return self.first + np.arange(10.0, dtype=np.float32).reshape(5, 2)

    FeatureStatistics([("a", Spy(0)), ("b", Spy(1))])
    assert read == [slice(None)] * 2
    FeatureStatistics([("a", Spy(0)), ("b", Spy(0))])  # what may be a copy is compared
    assert read == [slice(None)] * 5


def test_farthest_value_is_found() -> None:
    first, second = np.zeros((4, 2), np.float32), np.ones((5, 2), np.float32)
    second[3, 1] = -7
    statistics = FeatureStatistics([("a", first), ("b", second)])
    assert statistics.farthest(1) == ("b", 3, -7.0)


def test_of_features_less_their_mean_over_the_video() -> None:
    rng = np.random.default_rng(2)
    videos = [rng.normal(place, 2, (length, 3)).astype(np.float32) for place, length in ((0, 30), (9, 50), (-4, 8))]
    statistics = FeatureStatistics((str(i), video) for i, video in enumerate(videos))
    mean, deviation = statistics.mean_and_deviation(within_videos=True)
    rows = np.concatenate([video - video.mean(axis=0) for video in videos])
    assert (mean == 0).all()
    np.testing.assert_allclose(deviation, rows.std(axis=0), rtol=1e-5)
