import pytest

from actionformer.formats.dates import date, has_month_first


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31 09:05:00.25",
        "2026-1-31 9:05:00.25",
        "2026/01/31 09:05:00.250 UTC",
        "31.1.2026 9:05:00.25",
        "31/1/2026 09:05:00.25",
        "31-01-2026T10:05:00.25+01:00",
        "31/01/2026 9:05:00.25 AM",
        "2026-01-31 09:05:00:250",
        "31.1.26 9:05:00.25",
        "31-Jan-2026 09:05:00.250",
        "2026-01-31 10:05:00.25 +0100",
    ],
)
def test_dates_are_those_of_iso_8601(text: str) -> None:
    assert date(text) == 1769850300.25


@pytest.mark.parametrize("text", ["1/31/2026 9:05:00.25 AM", "01/31/26 09:05:00.25", "31.1.2026 09:05:00.25"])
def test_months_may_stand_before_days(text: str) -> None:
    assert date(text, month_first=True) == 1769850300.25


@pytest.mark.parametrize(("text", "hours"), [("12:30 AM", 0.5), ("12:30 pm", 12.5), ("1:30:00 p.m.", 13.5)])
def test_hours_count_to_12_before_am_and_pm(text: str, hours: float) -> None:
    assert date(text) == date(f"2026-01-02 {text}") - date("2026-01-02") == 3600 * hours


@pytest.mark.parametrize(
    "text",
    [
        "1/31/2026",
        "1/2/026",
        "31.1.2026 13:00 PM",
        "31.1/2026",
        "1/2/20261",
        "noon",
        "0:00:01:12",
        "2026-01-31 10:00:01:12",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        date(text)


@pytest.mark.parametrize(
    ("dates", "month_first"),
    [
        (["1/31/2026 10:00"], True),
        (["31/1/2026 10:00"], False),
        (["01/09/2026", "01/12/2026", "01/13/2026"], True),
        (["01/02/2026 23:59", "01/03/2026 00:00"], True),  # the other way there would be a month between them
        (["01/02/2026 23:59", "02/02/2026 00:00"], False),
        (["2.1.2026", "3.1.2026"], False),
        (["2026-01-31"], False),
        ([], False),
    ],
)
def test_the_order_of_days_and_months_is_told_from_all_dates(dates: list[str], month_first: bool) -> None:
    assert has_month_first(dates) is month_first
