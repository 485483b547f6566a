"""What cells of text hold: dates and times as loggers write them."""

import pytest

from actionformer.sensors.cells import number


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("02.01.2026 03:04:05.5", 1767323045.5), ("2.1.2026 03:04:05,5", 1767323045.5),
        ("2026/01/02 03:04:05.5", 1767323045.5), ("2026-01-02 03:04:05.5 UTC", 1767323045.5),
        ("0:01.5", 1.5), ("02:01.25", 121.25), ("25:00:00.5", 90000.5), ("02:01", 7260.0),
    ],
)  # fmt: skip
def test_dates_and_times_as_loggers_write_them(cell: str, expected: float) -> None:
    assert number(cell) == expected


@pytest.mark.parametrize("cell", ["1/31/2026 10:00", "31.13.2026", "10:0x", "1.2.3"])
def test_what_may_be_something_else_is_no_date(cell: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        number(cell)
