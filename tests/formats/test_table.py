from actionformer.formats.rows import VideoRows
from actionformer.formats.table import results_text


def test_rows_in_the_order_of_time_and_names_whole() -> None:
    rows = [
        {"label": "run", "score": 0.75, "segment": [2.0, 4.0]},
        {"label": "jump " * 30, "score": 0.5, "segment": [0.0, 61.25]},
    ]
    (text,) = results_text([VideoRows("v", rows)])
    first, second = (line.split() for line in text.splitlines()[3:5])
    assert [word for word in second if word.isalnum() or "." in word] == ["v", "2.00", "4.00", "run", "0.750"]
    assert first.count("jump") == 30
    assert "61.25" in first
