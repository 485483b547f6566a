"""Sound events of DCASE and DESED."""

from pathlib import Path

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.dcase import holds_labels
from actionformer.formats.document import Document


def test_columns_in_any_order_and_rows_without_events() -> None:
    text = "event_label\tonset\toffset\tfilename\nDog\t0.5\t1.25\ta.wav\n\t\t\tb.wav\nCat\t\t\ta.wav\n"
    found = read_as("dcase", "a.tsv", text)
    first, second = found.videos
    assert (first.name, in_seconds(first)) == ("a.wav", [(0.5, 1.25, "Dog")])
    assert (second.name, second.segments) == ("b.wav", [])
    assert [one.where for one in found.remarks] == ["a.tsv: line 4"]


@pytest.mark.parametrize("text", ["street/a.wav\tstreet\t0.1\t2\tcar\n", "street/a.wav\t0.1\t2\tcar\n"])
def test_rows_without_a_header(text: str) -> None:
    (video,) = read_as("dcase", "fold1.txt", text).videos
    assert (video.name, in_seconds(video)) == ("street/a.wav", [(0.1, 2, "car")])


@pytest.mark.parametrize(
    "text",
    ["filename\tevent_labels\na.wav\tDog,Cat\n", "filename\tduration\na.wav\t10\n", "1\t2\tcar\n", "a\t1\t2\t3\n"],
)
def test_other_tables_are_none(text: str) -> None:
    assert not holds_labels(Document("a.tsv", text.encode()))


def test_samples(shared: Path) -> None:
    formats = shared / "data/formats"
    found = {video.name: in_seconds(video) for video in read_as("dcase", formats / "desed/validation.tsv").videos}
    assert found["Y0cH_NlhhMAs_30.000_40.000.wav"] == [(1.71, 6.005, "Cat")]
    assert sum(not segments for segments in found.values()) == 2
    predictions = read_as("dcase", formats / "desed/psds_eval_baseline_0.5.csv").videos[0]
    assert predictions.segments[0].label == "Vacuum_cleaner"
    (street, *_) = read_as("dcase", formats / "dcase/sed_eval_street_fold1_reference.txt").videos
    assert in_seconds(street)[0] == (0.186989, 2.558792, "car")
    assert in_seconds(read_as("audacity", formats / "dcase/sed_eval_mini_reference.txt").videos[0]) == [
        (1, 3, "event1"),
        (1.5, 3, "event1"),
    ]
