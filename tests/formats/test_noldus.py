"""Event logs of Noldus Observer XT, worked by hand."""

from actionformer.formats.document import Document
from actionformer.formats.noldus import holds_labels, read_labels

LOG = """"Time_Relative_hms";"Time_Relative_sf";"Duration_sf";"Observation";"Subject";"Behavior";"Event_Type";"Comment"
"00:00:01";"1,500";"2,250";"mouse 1";"m1";"dig";"State start";""
"00:00:03";"3,750";"0,000";"mouse 1";"m1";"dig";"State stop";""
"00:00:04";"4,000";"0,000";"mouse 1";"";"bark";"Point";""
"00:00:05";"5,000";"";"mouse 1";"";"run";"State Start";""
"00:00:06";"6,000";"0,000";"mouse 2";"";"dig";"state point";""
"""


def test_states_last_as_their_start_says() -> None:
    document = Document("log.csv", LOG.encode("utf-16"))
    assert holds_labels(document)
    found = read_labels(document)
    rows = [(v.name, one.start, one.end, one.label, one.layer) for v in found.videos for one in v.segments]
    assert rows == [
        ("mouse 1", 1.5, 3.75, "dig", "m1"),
        ("mouse 1", 4, 4, "bark", ""),
        ("mouse 2", 6, 6, "dig", ""),
    ]
    assert [(one.what, one.where) for one in found.remarks] == [
        ("a state without a duration is left out", "log.csv: line 5")
    ]
