"""Features that say nothing are found in the pass that measures them."""

import numpy as np
import pytest

from actionformer.checks.values import check_values
from actionformer.data.statistics import FeatureStatistics


def measured(**changed: np.ndarray) -> FeatureStatistics:
    rng = np.random.default_rng(0)
    arrays = {f"v{i}": rng.standard_normal((50, 3)).astype(np.float32) for i in range(3)}
    return FeatureStatistics((arrays | changed).items())


@pytest.mark.parametrize("value", [0, 3.7])
def test_constant_features(value: float) -> None:
    (finding,) = check_values(measured(v1=np.full((40, 3), value, np.float32)))
    assert str(finding) == "1 of 3 videos has features whose rows are all the same: v1; extract them again"
    assert finding.severity == "warning"
    every = {f"v{i}": np.full((40, 3), i, np.float32) for i in range(3)}
    assert [finding.severity for finding in check_values(measured(**every))] == ["error"]


def test_copies() -> None:
    first = dict(measured().videos)["v0"][:]
    (finding,) = check_values(measured(v2=np.asarray(first)))
    assert str(finding) == "1 of 3 videos has the features of another video: v2 those of v0"


@pytest.mark.parametrize("value", [1e30, -1e12, 3e7])
@pytest.mark.parametrize(("video", "row"), [("v1", 17), ("v0", 0)])
def test_one_value_that_has_a_channel_to_itself(value: float, video: str, row: int) -> None:
    wrong = np.random.default_rng(5).standard_normal((50, 3)).astype(np.float32)
    wrong[row, 2] = value
    (finding,) = check_values(measured(**{video: wrong}))
    assert (finding.kind, finding.count, finding.total) == ("lone", 1, 3)
    assert f"the first is {np.float32(value):.3g} in row {row} of {video!r}, channel 2" in str(finding)


def test_rare_channels_large_numbers_and_single_rows_are_healthy() -> None:
    rare = np.random.default_rng(5).standard_normal((50, 3)).astype(np.float32)
    rare[:, 1], rare[:, 2] = 0, np.linspace(1.7e9, 1.8e9, 50)
    rare[3, 1] = 9
    assert check_values(measured(v0=rare * [1, 1, 0], v1=rare)) == []
    assert check_values(FeatureStatistics([("v0", rare[:1])])) == []


def test_a_channel_of_times() -> None:
    """Times need not be regular; a channel that falls once, in one video, or is seen in a few rows only, is healthy."""
    rng = np.random.default_rng(1)

    def timed(length: int) -> np.ndarray:
        times = rng.uniform(0.1, 2, length).cumsum()
        return np.stack((rng.standard_normal(length), times), axis=1).astype(np.float32)

    arrays = {"a": timed(40), "b": timed(12), "short": timed(3) * [1, -1]}
    (finding,) = check_values(FeatureStatistics(arrays.items()))
    assert str(finding) == (
        "1 of 2 channels has values that rise with every row of every video, as times and row numbers do: 1; "
        "leave them out: a model learns from them when something happened, and not what"
    )
    arrays["b"][11, 1] = 0
    assert check_values(FeatureStatistics(arrays.items())) == []
    assert check_values(FeatureStatistics([("short", timed(9))])) == []
