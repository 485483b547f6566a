"""SoccerNet's moments of two halves."""

import json
from typing import Any

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.document import Document
from actionformer.formats.soccernet import holds_labels


def test_milliseconds_of_a_half() -> None:
    rows = [
        {"gameTime": "1 - 12:30", "label": "Goal", "position": "750123", "team": "home", "visibility": "visible"},
        {"gameTime": "2 - 00:07", "label": "Foul", "team": "away", "visibility": "not shown"},
        {"gameTime": "soon", "label": "Foul"},
    ]
    found = read_as(
        "soccernet", "Labels-v2.json", json.dumps({"UrlLocal": "league/season/match/", "annotations": rows})
    )
    first, second = found.videos
    assert (first.name, in_seconds(first)) == ("league/season/match/1_720p.mkv", [(750.123, 750.123, "Goal")])
    assert (second.name, in_seconds(second)) == ("league/season/match/2_720p.mkv", [(7, 7, "Foul")])
    assert [one.where for one in found.remarks] == ["Labels-v2.json: annotation 2"]


@pytest.mark.parametrize(
    "content", [{"annotations": []}, {"UrlLocal": "a", "annotations": [{"label": "x"}]}, [], {"UrlLocal": "a"}]
)
def test_other_json_is_none(content: Any) -> None:
    assert not holds_labels(Document("a.json", json.dumps(content).encode()))
