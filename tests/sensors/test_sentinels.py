import numpy as np
import pytest

from actionformer.sensors.sentinels import Sentinels


def told(readings: np.ndarray[tuple[int, int], np.dtype[np.float64]], pieces: int = 1) -> str | None:
    names = [f"c{column}" for column in range(readings.shape[1])]
    looking = Sentinels(len(names))
    parts = np.array_split(readings, pieces)
    passed = [piece for _, piece in looking((np.zeros(len(part)), part) for part in parts)]
    assert np.array_equal(np.concatenate(passed), readings, equal_nan=True)
    return looking.warning(names)


@pytest.mark.parametrize("value", [-9999, 9999, 65535, -32768, 2147483647, 999, 99.99, 1e30, -1e6, np.float32(99.9)])
@pytest.mark.parametrize("pieces", [1, 7])
def test_values_that_stand_for_no_reading_are_told(value: float, pieces: int) -> None:
    readings = np.random.default_rng(0).normal(20, 3, (200, 3))
    readings[::50, 1] = value
    readings[0, 2] = np.nan
    assert told(readings, pieces) == (
        f"a value far outside all others comes again and again in c1 ({value:g}, 4 times): if it stands for no "
        "reading, leave these cells empty, as it counts as one"
    )


@pytest.mark.parametrize(
    "readings",
    [
        np.random.default_rng(0).normal(0, 1, 200),
        np.clip(np.random.default_rng(0).normal(0, 20000, 200), -32768, 32767),  # as far as 16 bits go
        np.repeat([0.0, 1.0], 100),
        np.repeat([0.0, 999.0], 100),  # a door
        np.r_[np.zeros(190), np.linspace(0.1, 0.2, 10)],  # a tool that mostly lies still
        np.r_[np.linspace(20, 30, 198), 99.99, 99.99],
        np.r_[np.linspace(500, 900, 197), [999.0] * 3],
        np.r_[np.linspace(60, 180, 197), [0.0] * 3],
        np.full(200, np.nan),
        np.r_[np.full(197, np.nan), [9999.0] * 3],
        np.arange(200.0),
    ],
)
def test_readings_are_no_such_values(readings: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    assert told(readings[:, None]) is None
