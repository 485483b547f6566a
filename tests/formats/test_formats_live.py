"""Lines of live sources, worked by hand."""

import json
from typing import Any

import pytest

from actionformer.formats.index import FORMATS, names

ACTION = {"label": "a, b", "start": 1.0, "end": 3723.5, "score": 0.5, "wall_clock": "2026-11-28T12:00:00.000+00:00"}
LINES = {
    "json": ("", json.dumps(ACTION)),
    "csv": ("video,label,start,end,score", 'camera,"a, b",1.000,3723.500,0.5'),
    "table": ("     start        end  score  label", "      1.00    3723.50  0.500  a, b"),
}


@pytest.mark.parametrize("name", names(streams=True))
def test_header_and_line(name: str) -> None:
    one = FORMATS[name]
    assert (one.function("stream_header")(), one.function("action_line")(ACTION, "camera")) == LINES[name]


@pytest.mark.parametrize("label", ["a\nb", "a\r\nb", "\x1b[2J"])
def test_a_table_has_one_line_per_action_whatever_its_label(label: str) -> None:
    line = FORMATS["table"].function("action_line")(ACTION | {"label": label}, "camera")
    assert line.isprintable()


def test_what_is_not_final_yet_is_one_object() -> None:
    actions: list[dict[str, Any]] = [ACTION, ACTION]
    assert json.loads(FORMATS["json"].function("provisional_line")(actions)) == {"provisional": actions}
