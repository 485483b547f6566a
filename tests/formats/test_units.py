"""Units of time in names of columns."""

import pytest

from actionformer.formats.units import are_days, parts_of_time, split_seconds, unit_in


@pytest.mark.parametrize(
    ("name", "per_second"),
    [("time_ms", 1e3), ("Time (s)", 1), ("timestamp[us]", 1e6), ("t_ns", 1e9), ("timestampMs", 1e3), ("µs", 1e6),
     ("seconds_elapsed", 1), ("time", None), ("time (min)", 1 / 60), ("Elapsed time [h]", 1 / 3600),
     ("Zeit (Sekunden)", 1), ("time_days", 1 / 86400), ("timestamp (100ns)", 1e7), ("time [10 ms]", 100),
     ("time_cs", 100), ("t2_ms", 1e3), ("time_100", None), ("time [s/256]", 256)],
)  # fmt: skip
def test_units_in_names(name: str, per_second: float | None) -> None:
    assert unit_in(name) == per_second


@pytest.mark.parametrize(
    ("first", "step", "expected"),
    [(45292.5, 1e-5, True), (739253.5, 1e-5, True), (45292.5, 0.02, False), (12.5, 1e-5, False), (45292.5, 0.0, False)],
)
def test_dates_that_are_days(first: float, step: float, expected: bool) -> None:
    assert are_days(first, step) == expected


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["Hour", "Minute", "Second", "x"], ["Hour", "Minute", "Second"]),
        (["Stunde", "Minute", "x"], ["Stunde", "Minute"]),
        (["second", "x"], []),
        (["time_s", "time_min"], []),
        (["h", "s", "v"], []),
        (["sec", "seconds"], []),
    ],
)
def test_parts_of_a_time(names: list[str], parts: list[str]) -> None:
    assert parts_of_time(names) == parts


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (["secs", "nsecs", "x"], ["secs", "nsecs"]),
        (["sec", "nanosec"], ["sec", "nanosec"]),
        (["time", "header.stamp.secs", "header.stamp.nsecs"], ["header.stamp.secs", "header.stamp.nsecs"]),
        (["tv_sec", "tv_usec"], ["tv_sec", "tv_usec"]),
        (["time_s", "time_ms"], []),  # the same time twice
        (["seconds", "nsecs_of_header"], []),
    ],
)
def test_seconds_and_the_rest_of_them(names: list[str], split: list[str]) -> None:
    assert split_seconds(names) == split
