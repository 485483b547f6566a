"""Begins and ends of sleep by night."""

from pathlib import Path

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.document import Document
from actionformer.formats.sleep_states import holds_labels

EVENTS = """series_id,night,event,step,timestamp
038441c925bb,1,onset,4992,2018-08-14T22:26:00-0400
038441c925bb,1,wakeup,10932,2018-08-15T06:41:00-0400
038441c925bb,2,onset,,
038441c925bb,2,wakeup,,
0402a003dae9,1,wakeup,200.0,2018-12-19T06:12:00-0500
0402a003dae9,1,onset,100.0,2018-12-18T22:12:00-0500
0402a003dae9,2,onset,300,2018-12-19T23:00:00-0500
0402a003dae9,3,onset,400,2018-12-20T23:00:00-0500
0402a003dae9,3,onset,410,2018-12-20T23:01:00-0500
0402a003dae9,3,wakeup,500,2018-12-21T06:00:00-0500
0402a003dae9,4,onset
"""


def test_rows_are_paired_by_night_and_steps_last_five_seconds() -> None:
    found = read_as("sleep_states", "train_events.csv", EVENTS)
    first, second = found.videos
    assert (first.name, in_seconds(first)) == ("038441c925bb", [(4992 * 5, 10932 * 5, "sleep")])
    assert (second.name, in_seconds(second)) == ("0402a003dae9", [(500, 1000, "sleep")])
    assert found.class_names == ["sleep"]


def test_nights_without_both_ends_are_told() -> None:
    found = read_as("sleep_states", "train_events.csv", EVENTS)
    assert {one.what for one in found.remarks} == {
        "a night is left out that has not one onset and one wakeup with a step each"
    }
    assert [one.where for one in found.remarks] == [f"{Path('train_events.csv')}: line {n}" for n in (4, 8, 9, 12)]


@pytest.mark.parametrize("content", ["series_id,step,anglez\n1,2,3\n", "video,start,end,label\na,1,2,b\n"])
def test_other_tables_are_none(content: str) -> None:
    assert not holds_labels(Document("a.csv", content.encode()))
