"""Numbers and times as files write them."""

from typing import Any

import pytest

from actionformer.formats.numbers import number, seconds


@pytest.mark.parametrize(
    ("value", "found"),
    [(1, 1.0), ("1,5", 1.5), (" 2e-3 ", 0.002), (".5", 0.5), (True, None), ("1.234,5", None), ("nan", None),
     (float("inf"), None), ("", None), (None, None)],
)  # fmt: skip
def test_numbers(value: Any, found: float | None) -> None:
    assert number(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("00:05:27.28", 327.28),
        ("1:23,4", 83.4),
        ("100:00:00", 360000.0),
        ("0:01:23:250", 83.25),
        ("7.5", 7.5),
        (3, 3.0),
        ("1:2:3:4", None),
    ],
)
def test_times(value: Any, found: float | None) -> None:
    assert seconds(value) == (None if found is None else pytest.approx(found))
